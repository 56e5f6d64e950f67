"""The boxes of a search: which are open, what is proven of the others, which are bounded next."""

import heapq
from dataclasses import dataclass, field, replace
from typing import Any

from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.model.tables import Tables
from hwgen.crossbar.synthesis.bound import halves, is_wide
from hwgen.crossbar.synthesis.boxes import Box
from hwgen.crossbar.synthesis.scan import scan
from hwgen.crossbar.synthesis.work import root_boxes

Json = dict[str, Any]


def widest_of(points: list[Point]) -> list[int]:
    """Return for each point the one with the largest ratio of those that are else like it."""
    places: dict[Point, list[int]] = {}
    for place, point in enumerate(points):
        places.setdefault(replace(point, rram_ratio=None), []).append(place)
    largest = {
        like: max(found, key=lambda n: points[n].rram_ratio or 0.0)
        for like, found in places.items()
    }
    return [largest[replace(point, rram_ratio=None)] for point in points]


@dataclass(order=True)
class OpenBox:
    """A box that may hold something better, the most promising first."""

    energy_nj: float
    number: int
    point: int = field(compare=False)
    entry: Json = field(compare=False)


Ratios = tuple[float, float]


class Frontier:
    """All boxes of all points.

    Points that differ in their ratio alone begin as one, under the number of that with the largest.

    open: those that may hold something better; closed_nj: the least bound of the others, by point
        and ratios
    number: of boxes so far
    """

    def __init__(self) -> None:
        self.open: list[OpenBox] = []
        self.closed_nj: dict[tuple[int, Ratios], float] = {}
        self.number = 0
        self._tables: dict[int, Tables] = {}

    def begin(self, point: int, tables: Tables, ratio_low: float, target_nj: float) -> None:
        """Open the boxes of one more point and all like it with smaller ratios."""
        self._tables[point] = tables
        for box in root_boxes(tables, ratio_low):
            self._look(point, box, 0.0, target_nj)

    def _look(self, point: int, box: Box, least_nj: float, target_nj: float) -> None:
        """Open a box with its first bound, or that of the box around it, unless that closes it."""
        energy = max(least_nj, scan(self._tables[point], box))
        entry = {"box": list(box), "cuts": [], "ranges": None, "whole": True}
        self.put(point, entry, energy, target_nj)

    def put(self, point: int, entry: Json, energy_nj: float, target_nj: float) -> bool:
        """Open a box of which a bound is known, or close it; return whether it is open."""
        self.number += 1
        if energy_nj >= target_nj:
            self.close(point, entry, energy_nj)
            return False
        heapq.heappush(self.open, OpenBox(energy_nj, self.number, point, entry))
        return True

    def put_back(self, boxes: list[OpenBox]) -> None:
        """Open boxes again that nobody has split: they still hold what they held."""
        for box in boxes:
            heapq.heappush(self.open, box)

    def close(self, point: int, entry: Json, energy_nj: float) -> None:
        """Remember the least bound among the boxes of a point that are closed."""
        where = point, ratios_of(entry)
        self.closed_nj[where] = min(self.closed_nj.get(where, energy_nj), energy_nj)

    def take(self, count: int, target_nj: float) -> list[OpenBox]:
        """Take some boxes with the best bounds; what is too wide is split on the way."""
        chosen: list[OpenBox] = []
        while self.open and len(chosen) < count:
            box = heapq.heappop(self.open)
            where = Box(*box.entry["box"])
            if box.energy_nj >= target_nj:
                self.close(box.point, box.entry, box.energy_nj)
            elif box.entry["whole"] and is_wide(where):
                for half in halves(where):
                    self._look(box.point, half, box.energy_nj, target_nj)
            else:
                chosen.append(box)
        return chosen

    def bound_nj(self, point: int | None = None, ratio: float = 0.0) -> float:
        """Return the energy that no design in any box is below, or none of a point and a ratio."""
        known = [((box.point, ratios_of(box.entry)), box.energy_nj) for box in self.open]
        known += self.closed_nj.items()
        energies = [
            energy
            for (where, (low, high)), energy in known
            if point is None or (point == where and low <= ratio <= high)
        ]
        return min(energies, default=float("inf"))

    def is_open(self, point: int, ratio: float, memory: int) -> bool:
        """Return whether a design with such scratchpads may be better than all so far."""
        boxes = (Box(*box.entry["box"]) for box in self.open if box.point == point)
        return any(
            box.memory <= memory <= box.most_memory and box.ratio_low <= ratio <= box.ratio_high
            for box in boxes
        )


def ratios_of(entry: Json) -> Ratios:
    """Return the ratios of a box."""
    box = Box(*entry["box"])
    return box.ratio_low, box.ratio_high
