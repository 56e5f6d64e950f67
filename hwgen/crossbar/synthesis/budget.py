"""What a search may spend, and what is left of it: counts, never a time."""

import sys
from dataclasses import dataclass

from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.synthesis.result import Chosen

PRICED, PER_BOX = 150_000_000, 8_000
"""Choices that relaxed problems price in a search (see `Relaxation`); the time grows so. A box
counts as some besides."""

SUITING, LEAST_SHARE = 50_000, 0.2
"""With fewer evaluations than that, boxes get a share of `PRICED`, and at least so large a one."""

EFFORT, PER_LAYER = 240_000_000, 80
"""Computation blocks of all designs that a search evaluates; a layer counts as some besides."""

PIECES, SMALLEST_PIECE = 24, 500
"""Pieces of work that the evaluations of a search are spent in, and the fewest that one has."""

CLIMBING = 0.15
"""Share of the evaluations that the search around the best designs has in the end."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a search may spend; None: as much as suits the network.

    method: bounded, or text or code for the published search
    evaluations: designs that are judged, by the closed form or block by block
    boxes: of the design space that are bounded
    sharing: whether two layers may share macros
    time_limit_s: the answer then depends on the machine, and says so
    """

    method: str = "bounded"
    evaluations: int | None = None
    boxes: int | None = None
    sharing: bool = True
    time_limit_s: float | None = None


class Purse:
    """What is left of a budget.

    effort: evaluations, or by default what they take: blocks and layers of each design
    """

    def __init__(self, budget: Budget, network: CrossbarNetwork) -> None:
        self._network = network
        self._by_count = budget.evaluations is not None
        effort = budget.evaluations or EFFORT
        self._left_to_climb = int(CLIMBING * effort)
        self._effort = self._all_effort = effort - self._left_to_climb
        self._boxes = self._all_boxes = budget.boxes or sys.maxsize
        share = min(1.0, budget.evaluations / SUITING) if budget.evaluations else 1.0
        self._priced = sys.maxsize if budget.boxes else int(PRICED * max(LEAST_SHARE, share))
        self._all_priced = self._priced

    @property
    def boxes(self) -> int:
        """Boxes that may still be split; 0 if nothing may."""
        return self._boxes if self._priced > 0 else 0

    @property
    def annealing(self) -> bool:
        """Whether evaluations are left."""
        return self._effort > 0

    @property
    def annealing_is_due(self) -> bool:
        """Whether more is left of the evaluations than of the boxes, which become better starts."""
        left = min(self._boxes / self._all_boxes, self._priced / self._all_priced)
        return self._effort >= left * self._all_effort

    def split(self, boxes: int) -> None:
        """Pay for boxes that were split."""
        self._boxes -= boxes

    def price(self, boxes: int, priced: int) -> None:
        """Pay for what relaxed problems have priced in some boxes."""
        self._priced -= priced + PER_BOX * boxes

    def evaluations(self, start: Chosen, starts: int) -> int:
        """Take evaluations of designs like a start, one of so many that share a round."""
        each = 1 if self._by_count else self._effort_of(start)
        smallest = SMALLEST_PIECE * each
        piece = max(smallest, self._all_effort // PIECES)
        count = min(piece, self._effort // starts) // each
        self._effort -= count * each
        return count

    def climbing(self, start: Chosen, starts: int) -> int:
        """Return the evaluations around one of so many designs, in the end."""
        each = 1 if self._by_count else self._effort_of(start)
        return self._left_to_climb // starts // each

    def end(self) -> None:
        """Spend no more evaluations, but for those in the end."""
        self._effort = 0

    def _effort_of(self, chosen: Chosen) -> int:
        """Return what one evaluation takes of a design like this one."""
        layers = self._network.layers
        blocks = sum(
            -(-layer.pixels // max(1, copies))
            for layer, copies in zip(layers, chosen.copies, strict=True)
            if layer.kind == "conv"
        )
        return blocks + PER_LAYER * len(layers)
