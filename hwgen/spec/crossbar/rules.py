"""How a crossbar design is judged: as the published tool does, or with nothing left out.

Rules have a name: `published`, `strict`, or `strict without A,B`. The strict rules are a basis and
corrections, each of which makes a schedule keepable by hardware and can be switched off, so that
its cost can be measured.
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from hwgen.errors import ConfigError

WITHOUT = " without "

Objective = Literal["image", "stream"]
"""What a design is chosen for: the efficiency of one image alone, or of one in a steady stream,
to which static power counts from image to image only."""

Rules = Annotated[str, Field(pattern=r"^(published|strict( without [a-z_]+(,[a-z_]+)*)?)$")]
"""The name of rules, see the top of this module."""


class Corrections(NamedTuple):
    """Which corrections of the strict rules are on; under published rules none.

    clocks: a step and an access to a scratchpad take whole clocks of 1 ns; a component does a whole
        number of operations in a step; a scratchpad's peak is one access in its clocks
    merge: partial sums are added up along the macros of a copy (chain), at their width, before
        the activation; results are gathered in one macro before they are stored
    requantization: every layer requantizes its results, and that is charged as an activation
    parts: each macro holds whole copies or whole row tiles, and whole components for what it holds;
        unused columns are not converted
    flips: the sum of a unit's inputs, which corrects offset weights and flipped columns, is added
    conversions: a layer that shares ADCs asks for them before it multiplies; they follow a bit step
        behind, because nothing but the sample-and-hold circuits keeps a product
    registers: a block waits until the one before it has left the next registers, as it really does;
        a column accumulator has two banks
    sends: each pixel is sent once, by a multicast tree, from where it was stored to all macros of
        its readers, into rings that hold it until the reader needs it no more
    ports: a scratchpad has one port: a read serves all crossbars of a unit, words are read and
        written as they lie, and whatever is in a macro takes its turn
    links: local ports of routers are links too; of travels that meet, the later layer goes first
    image: the image comes from the I/O node at macro 0, the new pixels of a block at a time, over
        the links that all use, into a ring in each macro of its readers
    """

    clocks: bool
    merge: bool
    requantization: bool
    parts: bool
    flips: bool
    conversions: bool
    registers: bool
    sends: bool
    ports: bool
    links: bool
    image: bool


CORRECTIONS = Corrections._fields
NONE = Corrections(*(False for _ in CORRECTIONS))
OLD_STRICT = f"strict{WITHOUT}{','.join(CORRECTIONS)}"
"""The strict rules without any correction."""


def is_strict(rules: Rules) -> bool:
    """Return whether rules are the strict ones, with or without their corrections."""
    return rules != "published"


def corrections_of(rules: Rules) -> Corrections:
    """Return the corrections that are on under some rules."""
    if not is_strict(rules):
        return NONE
    _, _, names = rules.partition(WITHOUT)
    missing = set(names.split(",")) if names else set()
    return Corrections(*(name not in missing for name in CORRECTIONS))


def rules_without(rules: str, without: str) -> Rules:
    """Return the name of rules with some corrections, A,B, switched off; '': with all of them."""
    if rules not in ("strict", "published"):
        raise _refused("--rules", "strict or published", rules)
    names = [name.strip() for name in without.split(",") if name.strip()]
    if names and rules == "published":
        raise _refused("--without", "corrections of the strict rules, with --rules strict", rules)
    for name in names:
        if name not in (*CORRECTIONS, "all"):
            raise _refused("--without", f"all, or some of {', '.join(CORRECTIONS)}", name)
    off = [name for name in CORRECTIONS if name in names or "all" in names]
    return f"strict{WITHOUT}{','.join(off)}" if off else rules


def _refused(field: str, allowed: str, given: str) -> ConfigError:
    return ConfigError(field=field, allowed=allowed, given=given, source="command line")
