"""What a walk finds: an operation that reads what is not there yet, or not there any more.

Tests: `tests/verif/reference/crossbar/test_walk.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NEVER = 1 << 60
"""A clock that does not come."""

State = Literal[
    "is not there yet",
    "is not there any more",
    "is not through",
    "has no room",
    "is nothing that parts take",
]


class Hazard(NamedTuple):
    """One start that goes wrong; block and image are counted from 0, clocks from the first step."""

    clock: int
    layer: str
    operation: str
    image: int
    block: int
    macro: int
    what: str
    state: State

    @property
    def sentence(self) -> str:
        """What is wrong."""
        return (
            f"{self.layer}, {self.operation} of block {self.block} of image {self.image} in macro"
            f" {self.macro} at clock {self.clock}: {self.what} {self.state}"
        )


class Where(NamedTuple):
    """Whose starts they are; blocks: of an image."""

    layer: str
    operation: str
    macro: int
    blocks: int


Say = Callable[[int], str]
"""What an entry of an array reads."""


@dataclass
class Findings:
    """The hazards of a walk."""

    hazards: list[Hazard] = field(default_factory=list)

    def expect(  # noqa: PLR0917
        self, where: Where, block: Ints, read: Ints, ready: Ints, gone: Ints, what: str | Say
    ) -> None:
        """Note what is read before it is written, or behind what takes its place.

        All of one shape; block: of the stream, whose operation reads; read: in which clock
        ready: when it is written; gone: when something else is written there
        """
        self.note(where, block, read, ready >= read, what, "is not there yet")
        self.note(where, block, read, (ready < read) & (gone < read), what, "is not there any more")

    def through(self, where: Where, go: Ints, last: Ints, what: str) -> None:
        """Note blocks that begin (`go`) before the last clock of the block before is reached."""
        if len(go) > 1:
            block = np.arange(1, len(go))
            self.note(where, block, go[1:], last[:-1] > go[1:], what, "is not through")

    def add(self, where: Where, block: int, clock: int, what: str, state: State) -> None:
        """Note one hazard; block: of the stream."""
        image, own = divmod(block, where.blocks)
        layer, operation, macro, _ = where
        self.hazards.append(Hazard(clock, layer, operation, image, own, macro, what, state))

    def note(  # noqa: PLR0917
        self,
        where: Where,
        block: Ints,
        clock: Ints,
        wrong: NDArray[np.bool_],
        what: str | Say,
        state: State,
    ) -> None:
        """Note the first entry of each block that is wrong."""
        found = np.flatnonzero(wrong)
        if not found.size:
            return
        blocks, clocks = np.ravel(block)[found], np.ravel(clock)[found]
        _, firsts = np.unique(blocks, return_index=True)
        for first in firsts:
            text = what if isinstance(what, str) else what(int(found[first]))
            self.add(where, int(blocks[first]), int(clocks[first]), text, state)
