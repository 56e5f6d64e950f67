"""Shelves: runs of rows of all sub-arrays, whose segments hold parts of kernels side by side.

Tests: `tests/mram/compiler/test_execute.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hwgen.mram.compiler.tasks import Task
from hwgen.mram.facts.arch import Arch


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A run of segments with blocks of channels of a task's kernels, equal in all groups.

    first_kernel: in sub-array 0 of a group
    octets: of a group; row: of weight plane 0; segment: the first one
    first_block, blocks: of channels
    twin: each row holds the weight plane above, for inputs that are doubled
    """

    task: Task
    first_kernel: int
    octets: int
    row: int
    segment: int
    first_block: int
    blocks: int
    twin: bool = False


@dataclass(kw_only=True)
class Shelf:
    """Rows `row` to `row + planes - 1` and the segments of them that are free."""

    row: int
    planes: int
    free: list[bool] = field(default_factory=list)

    def runs(self, width: int) -> list[int]:
        """Return the first segments of free runs of a width, those in the smallest gaps first."""
        gaps, start = [], 0
        for segment in range(len(self.free) + 1):
            if segment == len(self.free) or not self.free[segment]:
                gaps.append((segment - start, start))
                start = segment + 1
        return [
            start + width * number
            for length, start in sorted(gaps)
            for number in range(length // width)
        ]


class Shelves:
    """All shelves of a chip.

    limit: rows that they may take; None: any number, to learn how many would be needed
    """

    def __init__(self, arch: Arch, limit: int | None) -> None:
        self._segments, self._limit = arch.segments, limit
        self.shelves: list[Shelf] = []
        self._places: dict[tuple[int, int, int], tuple[int, list[int]] | None] = {}

    @property
    def rows(self) -> int:
        """Rows that the shelves take."""
        return sum(shelf.planes for shelf in self.shelves)

    def find(self, count: int, width: int, planes: int) -> tuple[int, list[int]] | None:
        """Return the shelf with the least free segments that has the runs, and their segments.

        The number of a shelf above the last one stands for a new one. None: no shelf has them.
        """
        key = count, width, planes
        if key not in self._places:
            self._places[key] = self._find(*key)
        return self._places[key]

    def _find(self, count: int, width: int, planes: int) -> tuple[int, list[int]] | None:
        """Return what `find` does, from the segments that are free now."""
        best: tuple[int, int, int] | None = None
        for number, shelf in enumerate(self.shelves):
            if shelf.planes >= planes and len(shelf.runs(width)) >= count:
                key = (shelf.planes - planes, sum(shelf.free), number)
                best = key if best is None else min(best, key)
        if best is not None:
            return best[2], self.shelves[best[2]].runs(width)[:count]
        new = self._limit is None or self.rows + planes <= self._limit
        if new and count * width <= self._segments:
            return len(self.shelves), [width * number for number in range(count)]
        return None

    def take(self, number: int, segments: Sequence[int], width: int, planes: int) -> int:
        """Occupy runs of a shelf, a new one for the number above the last; return its row."""
        self._places.clear()
        if number == len(self.shelves):
            self.shelves.append(Shelf(row=self.rows, planes=planes, free=[True] * self._segments))
        shelf = self.shelves[number]
        for segment in segments:
            shelf.free[segment : segment + width] = [False] * width
        return shelf.row

    def at(self, row: int) -> Shelf:
        """Return the shelf that begins at a row."""
        return next(shelf for shelf in self.shelves if shelf.row == row)

    def release(self, placed: Placed) -> None:
        """Free the segments of a run."""
        self._places.clear()
        shelf = self.at(placed.row)
        end = placed.segment + placed.blocks
        shelf.free[placed.segment : end] = [True] * placed.blocks
