"""The boxes of a search: which are open, what is proven of the others, which are bounded next."""

import heapq
from dataclasses import dataclass, field
from typing import Any

from hwgen.dse.crossbar.bound import halves, is_wide
from hwgen.dse.crossbar.boxes import Box
from hwgen.dse.crossbar.scan import scan
from hwgen.dse.crossbar.work import root_boxes
from hwgen.model.crossbar.tables import Tables

Json = dict[str, Any]


@dataclass(order=True)
class OpenBox:
    """A box that may hold something better, the most promising first."""

    energy_nj: float
    number: int
    point: int = field(compare=False)
    entry: Json = field(compare=False)


class Frontier:
    """All boxes of all points.

    open: those that may hold something better; closed_nj: the least bound of the others, by point
    number: of boxes so far
    """

    def __init__(self) -> None:
        self.open: list[OpenBox] = []
        self.closed_nj: dict[int, float] = {}
        self.number = 0
        self._tables: list[Tables] = []

    def begin(self, tables: Tables, target_nj: float) -> None:
        """Open the boxes of one more point, with every size of scratchpads."""
        self._tables.append(tables)
        for memory in range(len(tables.memories)):
            for box in root_boxes(tables, memory):
                self._look(len(self._tables) - 1, box, 0.0, target_nj)

    def _look(self, point: int, box: Box, least_nj: float, target_nj: float) -> None:
        """Open a box with its first bound, or that of the box around it, unless that closes it."""
        energy = max(least_nj, scan(self._tables[point], box))
        self.put(point, {"box": list(box), "cuts": [], "whole": True}, energy, target_nj)

    def put(self, point: int, entry: Json, energy_nj: float, target_nj: float) -> bool:
        """Open a box of which a bound is known, or close it; return whether it is open."""
        self.number += 1
        if energy_nj >= target_nj:
            self.close(point, energy_nj)
            return False
        heapq.heappush(self.open, OpenBox(energy_nj, self.number, point, entry))
        return True

    def put_back(self, boxes: list[OpenBox]) -> None:
        """Open boxes again that nobody has split: they still hold what they held."""
        for box in boxes:
            heapq.heappush(self.open, box)

    def close(self, point: int, energy_nj: float) -> None:
        """Remember the least bound among the boxes of a point that are closed."""
        self.closed_nj[point] = min(self.closed_nj.get(point, energy_nj), energy_nj)

    def take(self, count: int, target_nj: float) -> list[OpenBox]:
        """Take some boxes with the best bounds; what is too wide is split on the way."""
        chosen: list[OpenBox] = []
        while self.open and len(chosen) < count:
            box = heapq.heappop(self.open)
            where = Box(*box.entry["box"])
            if box.energy_nj >= target_nj:
                self.close(box.point, box.energy_nj)
            elif box.entry["whole"] and is_wide(where):
                for half in halves(where):
                    self._look(box.point, half, box.energy_nj, target_nj)
            else:
                chosen.append(box)
        return chosen

    def bound_nj(self, point: int | None = None) -> float:
        """Return the energy that no design (of one point) in any box is below."""
        energies = [box.energy_nj for box in self.open if point in (None, box.point)]
        closed = self.closed_nj.items()
        energies += [energy for where, energy in closed if point in (None, where)]
        return min(energies, default=float("inf"))
