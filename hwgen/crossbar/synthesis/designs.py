"""The designs of a search: those that were confirmed, and those that wait to be annealed."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.synthesis.anneal import COLD, HOT
from hwgen.crossbar.synthesis.result import Candidate, Chosen

Json = dict[str, Any]

STARTS = 4
"""Designs that are annealed in one round."""

IsOpen = Callable[[Point, int], bool]
"""Whether a point may hold something better with scratchpads of a size."""


class Start(NamedTuple):
    """A design to anneal from: where, with which scratchpads, and the first threshold."""

    point: Point
    memory: int
    design: Json
    hot: float


class Waiting(NamedTuple):
    """A design that a relaxed problem points at; the lowest comes first, then the earliest."""

    height_nj: float
    number: int
    point: Point
    memory: int
    design: Json


@dataclass
class Designs:
    """The designs of one search.

    candidates: those that were confirmed, the best first
    turns: how often starts were asked for
    """

    candidates: list[Candidate] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    turns: int = 0

    @property
    def best(self) -> Candidate | None:
        """The most efficient design so far."""
        return self.candidates[0] if self.candidates else None

    def keep(self, candidate: Candidate) -> None:
        """Put a confirmed design among the candidates, the best first, each once."""
        if candidate not in self.candidates:
            self.candidates.append(candidate)
            self.candidates.sort(key=lambda each: -each.efficiency_gops_per_w)

    def wait(self, waiting: Waiting) -> None:
        """Remember a design that a relaxed problem points at."""
        heapq.heappush(self.waiting, waiting)

    def starts(self, is_open: IsOpen, hopeless_nj: float) -> list[Start]:
        """Return what is annealed next.

        Half of them go on from the best designs, with a smaller threshold, or, every other time,
        into smaller scratchpads. Where nothing better is known, even a hopeless design is somewhere
        to begin.
        """
        chosen: list[Start] = []
        self.turns += 1
        for place, candidate in enumerate(self.candidates[: STARTS // 2]):
            hot, memory = max(COLD, HOT / (2 + 2 * place)), candidate.memory
            if self.turns % 2 == 0 and is_open(candidate.point, memory - 1):
                hot, memory = HOT, memory - 1
            chosen.append(Start(candidate.point, memory, candidate.chosen.as_json(), hot))
        while self.waiting and len(chosen) < STARTS:
            if chosen and self.waiting[0].height_nj >= hopeless_nj:
                break
            next_one = heapq.heappop(self.waiting)
            chosen.append(Start(next_one.point, next_one.memory, next_one.design, HOT))
        return chosen


def confirmed(point: Point, result: Json) -> Candidate:
    """Return what annealing found at a point as a candidate."""
    return Candidate(point=point, chosen=Chosen(**result["design"]), **result["cost"])


def own_point(point: Point, entry: Json) -> Point:
    """Return the point of the design that a box points at: its ratio is of the box."""
    return replace(point, rram_ratio=entry["ratio"])
