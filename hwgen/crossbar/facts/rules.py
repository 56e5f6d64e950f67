"""How a crossbar design is judged: a record of charges, each made or left out.

Code asks for the charge that it makes, never for the name of a set of rules. Two sets have a name:
`published` makes none, as the published tool; `strict` makes all, and describes a chip whose
schedule hardware can keep. What each of these costs was measured: docs/results/crossbar.md.
"""

from typing import Literal, NamedTuple, get_args

from hwgen.errors import ConfigError

Objective = Literal["image", "stream", "throughput", "latency", "edp"]
"""What a design is chosen for: the efficiency of one image alone, or of one in a steady stream,
to which static power counts from image to image only; images a second in a stream; the time of one
image; its energy times its time."""

STREAMED: frozenset[Objective] = frozenset({"stream", "throughput"})
"""Objectives by which designs are judged in a stream: from image to image."""

MERITS: dict[Objective, str] = {
    "image": "GOPS/W",
    "stream": "GOPS/W in a stream",
    "throughput": "GOPS in a stream",
    "latency": "GOPS of one image",
    "edp": "operations a nJ ns",
}
"""The unit of what an objective makes large: the operations of an image over its price, which is
nJ, ns, or both multiplied."""

RulesName = Literal["published", "strict"]


class Rules(NamedTuple):
    """What a design is charged for.

    whole_clocks: a step and an access to a scratchpad take whole clocks
    whole_parts: each macro holds whole copies or whole row tiles, and whole components for what it
        holds; blocks have pixels; a design buys what a step needs, within one budget
    used_columns: unused columns are not converted, groups are no dense layer, and what is computed
        counts as a whole: the sum of a unit's inputs, which corrects offset weights and flipped
        columns, all channels, pixels of a window, and fully connected layers
    send_once: each pixel is sent once, by a multicast tree, from where it was stored to all macros
        of its readers, into rings of whole words that hold it until the reader needs it no more,
        one for each provider; what nobody reads is a result, and leaves the chip with all its bits
    one_port: a scratchpad has one port: a read serves all crossbars of a unit, words are read and
        written as they lie, sends read theirs, and whatever is in a macro takes its turn
    chain_before_activation: partial sums are added up along the macros of a copy, at their width,
        before the activation, which every layer has, since it requantizes; results are gathered in
        one macro before they are stored; else they are merged behind the store
    registers: a block waits until the one before it has left the next registers, a column
        accumulator has two banks, and engines work some clocks behind a tick; an image ends when
        its last block is through
    turns_before_mvm: a layer that shares ADCs asks for them before it multiplies; they follow a bit
        step behind, because nothing but the sample-and-hold circuits keeps a product
    image_travels: the image comes from the I/O node at macro 0, the new pixels of a block at a
        time, into a ring in each macro of its readers; local ports of routers are links too; of
        travels that meet, the later layer goes first
    static_plus_dynamic: no peak is below static + dynamic power; that of a scratchpad has one
        access after the other
    """

    whole_clocks: bool
    whole_parts: bool
    used_columns: bool
    send_once: bool
    one_port: bool
    chain_before_activation: bool
    registers: bool
    turns_before_mvm: bool
    image_travels: bool
    static_plus_dynamic: bool


PUBLISHED = Rules(*[False] * len(Rules._fields))
STRICT = Rules(*[True] * len(Rules._fields))
RULES: dict[RulesName, Rules] = {"published": PUBLISHED, "strict": STRICT}


def check_mixture(rules: Rules) -> None:
    """Refuse a mixture that no evaluator supports.

    All charges are made or none; `chain_before_activation` alone may be left out.
    """
    if rules not in (PUBLISHED, STRICT, STRICT._replace(chain_before_activation=False)):
        raise ConfigError(
            field="rules",
            allowed="all charges or none; of all, chain_before_activation may be left out",
            given=", ".join(name for name, made in rules._asdict().items() if made),
            source="rules",
        )


def rules_of(name: str) -> Rules:
    """Return the rules of a name, or refuse it."""
    for known in get_args(RulesName):
        if name == known:
            return RULES[known]
    raise ConfigError(
        field="--rules", allowed="strict or published", given=name, source="command line"
    )


def name_of(rules: Rules) -> RulesName:
    """Return the name of a set of rules that has one."""
    return next(name for name, each in RULES.items() if each == rules)
