"""Placement: where kernels and their copies stand in the rows of the sub-arrays.

First every layer gets the kernels of the widest mode, as often as they fit into a row set. Then
copies for narrow modes go into what is left, always the one with the most gain for a segment; gain
is measured in the sum of the logarithms of the cycles of all modes. A copy that no mode uses any
more makes way. This is done in several orders, and the best placement is taken.

Tests: `tests/mram/compiler/test_execute.py`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwgen.errors import CompileError
from hwgen.mram.compiler.shelves import Placed, Shelves
from hwgen.mram.compiler.tasks import Task, octets_for, segments_of, task_modes, tasks_of
from hwgen.mram.compiler.views import View
from hwgen.mram.compiler.ways import Ways
from hwgen.mram.facts.arch import Arch

LEAST_GAIN = 1e-6
"""Gain of a copy at least; less is rounding."""

Placement = dict[Task, list[Placed]]


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order in which copies are added.

    preferred: mode whose gains count twice while copies are chosen; None: all modes count alike
    joining: copies that join a row set of their layer come first
    """

    preferred: int | None
    joining: bool


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Copies that could be added: `count` runs of `blocks` blocks.

    row: of the row set whose runs they join; None: of a row set without runs of the same task
    saved: cycles that each mode would save
    """

    task: Task
    octets: int
    blocks: int
    count: int
    row: int | None
    saved: Mapping[int, float]

    @property
    def segments(self) -> int:
        """Segments that it takes."""
        return self.count * self.blocks


def first_placement(
    views: Mapping[str, View],
    arch: Arch,
    *,
    copies: int,
    limit: int | None,
    apart: bool = False,
    twins: bool = False,
) -> tuple[Shelves, Placement] | None:
    """Return the kernels of the widest mode in the rows; None if they take more than `limit`.

    copies: of a kernel at most; apart: a layer shares no row set with another while rows are left
    twins: the blocks that do not fit a row set stand twice in the second one
    """
    shelves, found = Shelves(arch, limit), dict[Task, list[Placed]]()
    wanted = []
    for view in views.values():
        for task in tasks_of(view, arch):
            mode = next(task_modes(task, view, arch))
            kernels = task.kernels(view, mode, arch)
            octets = octets_for(view, kernels, arch)
            blocks = segments_of(view, kernels, mode, arch)
            head = min(blocks, arch.segments)
            count = 1 if head < blocks else min(copies, arch.segments // blocks, view.positions)
            wanted.append((task, view.weight_planes, octets, 0, head, count))
            if head < blocks:
                again = twins and view.positions > 1 and 2 * (blocks - head) <= arch.segments
                count = 2 if again else 1
                wanted.append((task, view.weight_planes, octets, head, blocks - head, count))
            found[task] = []
    # Twins first: they would take gaps that later hold copies of the same layer.
    wanted.sort(key=lambda each: (-each[1], each[5] < 2 or each[3] == 0, -each[4] * each[5]))
    for task, planes, octets, first, blocks, count in wanted:
        place = shelves.find(count, blocks, planes)
        if apart and limit is not None and shelves.rows + planes <= limit:
            place = len(shelves.shelves), [blocks * number for number in range(count)]
        if place is None:
            return None
        row = shelves.take(*place, blocks, planes)
        found[task] += [
            Placed(
                task=task,
                octets=octets,
                row=row,
                segment=each,
                first_block=first,
                blocks=blocks,
                twin=first > 0 and number > 0,
            )
            for number, each in enumerate(place[1])
        ]
    return shelves, found


def seed_placement(views: Mapping[str, View], arch: Arch) -> Placement:
    """Return the kernels of the widest mode once, each layer in row sets of its own if they fit."""
    apart = first_placement(views, arch, copies=1, limit=arch.weight_rows, apart=True)
    close = first_placement(views, arch, copies=1, limit=arch.weight_rows)
    found = apart or close
    if found is None:
        raise CompileError(too_large(views, arch))
    return found[1]


def too_large(views: Mapping[str, View], arch: Arch) -> str:
    """Return the sentence for weights that do not fit."""
    needed = first_placement(views, arch, copies=1, limit=None)
    rows = needed[0].rows if needed else 0
    return (
        f"the weights must fit {arch.weight_rows} rows of every sub-array on an mram chip, got"
        f" {rows}"
    )


def search_placement(views: Mapping[str, View], arch: Arch, ways: Ways) -> Placement:
    """Return a placement that is fast in all modes."""
    modes = range(max((len(view.kernels) for view in views.values()), default=0))
    orders = [
        Order(preferred=mode, joining=joining)
        for mode in (None, *modes)
        for joining in (False, True)
    ]
    for twins in (True, False) if arch.twins else (False,):
        for copies in range(arch.segments, 0, -1):
            if fits(views, arch, copies, twins=twins):
                return min(
                    (
                        Search(views, arch, ways, order, copies, twins=twins).run()
                        for order in orders
                    ),
                    key=lambda found: found[0],
                )[1]
    raise CompileError(too_large(views, arch))


def fits(views: Mapping[str, View], arch: Arch, copies: int, *, twins: bool) -> bool:
    """Return whether the kernels of the widest mode fit into the rows."""
    limit = arch.weight_rows
    return first_placement(views, arch, copies=copies, limit=limit, twins=twins) is not None


class Search:
    """Adds copies to a first placement."""

    def __init__(
        self,
        views: Mapping[str, View],
        arch: Arch,
        ways: Ways,
        order: Order,
        copies: int,
        *,
        twins: bool,
    ) -> None:
        limit = arch.weight_rows
        start = first_placement(views, arch, copies=copies, limit=limit, twins=twins)
        if start is None:
            raise ValueError(f"{copies} copies of every kernel do not fit")
        self._views, self._arch, self._ways, self._order = views, arch, ways, order
        self._shelves, self._placement = start
        self._costs = {task: self._cycles(task, runs) for task, runs in self._placement.items()}
        self._candidates = {task: self._candidates_of(task) for task in self._placement}

    def run(self) -> tuple[float, Placement]:
        """Add copies until none gains; return the sum of logarithms, and the placement."""
        joining = self._order.joining
        while (chosen := self._best(joining=joining)) is not None or joining:
            if chosen is None:
                joining = False
            else:
                self._add(chosen)
        return sum(map(math.log, self._totals().values())), self._placement

    def _best(self, *, joining: bool) -> Candidate | None:
        """Return the copies with the most gain for a segment that fit; None: none gains."""
        totals = self._totals()
        ranked = [
            (self._gain(each, totals) / each.segments, each)
            for candidates in self._candidates.values()
            for each in candidates
            if each.row is not None or not joining
        ]
        ranked = [each for each in ranked if each[0] > LEAST_GAIN]
        ranked.sort(key=lambda each: -each[0])
        return next((each for _, each in ranked if self._place_of(each)), None)

    def _gain(self, each: Candidate, totals: Mapping[int, float]) -> float:
        """Return what copies gain in the sum of the logarithms of the cycles of the modes."""
        return sum(
            -math.log1p(-saved / totals[mode]) * (1 + (mode == self._order.preferred))
            for mode, saved in each.saved.items()
            if saved > 0
        )

    def _totals(self) -> dict[int, float]:
        """Return the cycles of each mode."""
        totals: dict[int, float] = {}
        for costs in self._costs.values():
            for mode, cycles in costs.items():
                totals[mode] = totals.get(mode, 0) + cycles
        return totals

    def _cycles(self, task: Task, runs: Sequence[Placed]) -> dict[int, float]:
        """Return the cycles of a task in each mode."""
        found = self._ways.task_cycles(self._views[task.name], task, runs)
        if found is None:
            raise CompileError(too_large(self._views, self._arch))
        return found

    def _candidates_of(self, task: Task) -> list[Candidate]:
        """Return the copies that would save cycles in some mode."""
        view, arch, runs = self._views[task.name], self._arch, self._placement[task]
        modes = list(task_modes(task, view, arch))
        kernels = {mode: task.kernels(view, mode, arch) for mode in modes}
        octets = {octets_for(view, kernels[mode], arch) for mode in modes}
        blocks = {segments_of(view, kernels[mode], mode, arch) for mode in modes}
        rows = {(run.octets, run.row) for run in runs if run.first_block == 0}
        found = []
        for width in sorted(each for each in blocks if each <= arch.segments):
            most = min(arch.segments // width, view.positions)
            for size in sorted(octets):
                found += [self._candidate(task, size, width, n, None) for n in range(1, most + 1)]
            found += [self._candidate(task, size, width, 1, row) for size, row in sorted(rows)]
        return [each for each in found if max(each.saved.values(), default=0) > 0]

    def _candidate(
        self, task: Task, octets: int, blocks: int, count: int, row: int | None
    ) -> Candidate:
        """Return copies and what they would save."""
        place = -1 if row is None else row
        more = [
            Placed(task=task, octets=octets, row=place, segment=0, first_block=0, blocks=blocks)
        ] * count
        before = self._costs[task]
        after = self._cycles(task, [*self._placement[task], *more])
        saved = {mode: before[mode] - after[mode] for mode in before}
        return Candidate(task=task, octets=octets, blocks=blocks, count=count, row=row, saved=saved)

    def _place_of(self, each: Candidate) -> tuple[int, list[int]] | None:
        """Return the shelf and the segments for copies, or None."""
        planes = self._views[each.task.name].weight_planes
        if each.row is None:
            return self._shelves.find(each.count, each.blocks, planes)
        shelf = self._shelves.at(each.row)
        runs = shelf.runs(each.blocks)[: each.count]
        number = self._shelves.shelves.index(shelf)
        return (number, runs) if len(runs) == each.count else None

    def _add(self, each: Candidate) -> None:
        """Add copies, and remove runs that no mode uses any more."""
        place, planes = self._place_of(each), self._views[each.task.name].weight_planes
        if place is None:
            raise ValueError(f"no rows are left for {each}")
        row = self._shelves.take(*place, each.blocks, planes)
        runs = self._placement[each.task]
        runs += [
            Placed(
                task=each.task,
                octets=each.octets,
                row=row,
                segment=segment,
                first_block=0,
                blocks=each.blocks,
            )
            for segment in place[1]
        ]
        used = self._used(each.task)
        for run in [run for run in runs if (run.octets, run.row) not in used]:
            self._shelves.release(run)
            runs.remove(run)
        self._costs[each.task] = self._cycles(each.task, runs)
        self._candidates[each.task] = self._candidates_of(each.task)

    def _used(self, task: Task) -> set[tuple[int, int]]:
        """Return the row sets of a task that some mode uses."""
        view, found = self._views[task.name], set()
        for mode in task_modes(task, view, self._arch):
            kernels = task.kernels(view, mode, self._arch)
            best = self._ways.best(view, kernels, mode, self._placement[task])
            if best is not None:
                found |= {(run.octets, run.row) for run in best[1].runs}
        return found
