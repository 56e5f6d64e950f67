"""How a crossbar design is judged: as the published tool does, or with nothing left out.

Rules are `published` or `strict`. Strict rules describe a chip whose schedule hardware can keep:

- a step and an access to a scratchpad take whole clocks of 1 ns; a component does a whole number of
  operations in a step; a scratchpad's peak is one access in its clocks;
- each macro holds whole copies or whole row tiles, and whole components for what it holds; unused
  columns are not converted; the sum of a unit's inputs, which corrects offset weights and flipped
  columns, is added;
- partial sums are added up along the macros of a copy (chain), at their width, before the
  activation; results are gathered in one macro before they are stored; every layer requantizes its
  results, and that is charged as an activation;
- a layer that shares ADCs asks for them before it multiplies; they follow a bit step behind,
  because nothing but the sample-and-hold circuits keeps a product; a block waits until the one
  before it has left the next registers; a column accumulator has two banks;
- each pixel is sent once, by a multicast tree, from where it was stored to all macros of its
  readers, into rings that hold it until the reader needs it no more; a scratchpad has one port: a
  read serves all crossbars of a unit, words are read and written as they lie, and whatever is in a
  macro takes its turn;
- what nobody reads is a result, which leaves the chip with all its bits; a send and a result read
  their words before they travel; engines work some clocks behind a tick, for which the last
  operation of a layer, and chains and gathers, pay; each provider of a layer has a ring of its own;
- local ports of routers are links too; of travels that meet, the later layer goes first; the image
  comes from the I/O node at macro 0, the new pixels of a block at a time, over the links that all
  use, into a ring in each macro of its readers.

What each of these costs was measured while it could be left out: docs/results/crossbar-rules.md.
"""

from typing import Literal

from hwgen.errors import ConfigError

Objective = Literal["image", "stream"]
"""What a design is chosen for: the efficiency of one image alone, or of one in a steady stream,
to which static power counts from image to image only."""

Rules = Literal["published", "strict"]


def is_strict(rules: Rules) -> bool:
    """Return whether rules are the strict ones."""
    return rules == "strict"


def rules_of(name: str) -> Rules:
    """Return the rules of a name, or refuse it."""
    if name == "strict":
        return "strict"
    if name == "published":
        return "published"
    raise ConfigError(
        field="--rules", allowed="strict or published", given=name, source="command line"
    )
