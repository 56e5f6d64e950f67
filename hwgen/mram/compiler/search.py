"""Placement: where kernels and their copies stand in the rows of the sub-arrays.

First every layer gets the kernels of the widest mode, as often as they fit into a row set. Then
copies for narrow modes go into what is left, always the one with the most gain for a segment; gain
is measured in the sum of the logarithms of the cycles of all modes. A copy that no mode uses any
more makes way. This is done in several orders, and the best placement is taken.

Tests: `tests/mram/compiler/test_execute.py`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hwgen.errors import CompileError
from hwgen.mram.compiler import tasks
from hwgen.mram.compiler.forms import Form, best_form, first_form, octets_from
from hwgen.mram.compiler.shelves import Placed, Shelves
from hwgen.mram.compiler.views import View
from hwgen.mram.compiler.ways import Ways
from hwgen.mram.facts.arch import Arch

LEAST_GAIN = 1e-6
"""Gain of a copy at least; less is rounding."""

Placement = dict[tasks.Task, list[Placed]]


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
    """Copies that could be added.

    row: of the row set whose runs they join; None: of a row set without runs of the same task
    saved: cycles that each mode would save
    """

    task: tasks.Task
    form: Form
    row: int | None
    saved: Mapping[int, float]

    @property
    def segments(self) -> int:
        """Segments that it takes."""
        return self.form.segments


def first_placement(
    views: Mapping[str, View],
    arch: Arch,
    *,
    copies: int,
    limit: int | None,
    ways: Ways | None = None,
    apart: bool = False,
    twins: bool = False,
) -> tuple[Shelves, Placement] | None:
    """Return the kernels of the widest mode in the rows; None if they take more than `limit`.

    copies: of a kernel at most; ways: judge kernels side by side in their place; None: copies alone
    apart: a layer shares no row set with another while rows are left
    twins: the blocks that do not fit a row set stand twice in the second one
    """
    shelves, found = Shelves(arch, limit), dict[tasks.Task, list[Placed]]()
    wanted = []
    for view in views.values():
        for task in tasks.tasks_of(view, arch):
            form = first_form(view, task, arch, copies)
            head = min(form.blocks, arch.segments)
            if head < form.blocks:
                rest = replace(form, copies=1, blocks=form.blocks - head)
                again = twins and view.positions > 1 and 2 * rest.blocks <= arch.segments
                wanted.append((task, view.weight_planes, 0, replace(rest, blocks=head)))
                wanted.append((task, view.weight_planes, head, replace(rest, copies=1 + again)))
            else:
                if ways is not None and arch.any_kernel:
                    _, form = best_form(view, task, arch, ways, copies)
                wanted.append((task, view.weight_planes, 0, form))
            found[task] = []
    # Twins first: they would take gaps that later hold copies of the same layer.
    wanted.sort(key=lambda each: (-each[1], each[3].copies < 2 or each[2] == 0, -each[3].segments))
    for task, planes, first, form in wanted:
        place = shelves.find(form.count, form.blocks, planes)
        if apart and limit is not None and shelves.rows + planes <= limit:
            place = len(shelves.shelves), [form.blocks * number for number in range(form.count)]
        if place is None:
            return None
        row = shelves.take(*place, form.blocks, planes)
        found[task] += form.runs(task, arch, row=row, starts=place[1], first_block=first)
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
    return searched(views, arch, ways)[1]


def searched(views: Mapping[str, View], arch: Arch, ways: Ways) -> tuple[float, Placement]:
    """Return a placement that is fast in all modes, and the sum of the logarithms of cycles."""
    modes = range(max((len(view.kernels) for view in views.values()), default=0))
    orders = [
        Order(preferred=mode, joining=joining)
        for mode in (None, *modes)
        for joining in (False, True)
    ]
    for twins in (True, False) if arch.twins else (False,):
        for copies in range(arch.segments, 0, -1):
            if fits(views, arch, copies, ways=ways, twins=twins):
                return min(
                    (
                        Search(views, arch, ways, order, copies, twins=twins).run()
                        for order in orders
                    ),
                    key=lambda found: found[0],
                )
    raise CompileError(too_large(views, arch))


def fits(views: Mapping[str, View], arch: Arch, copies: int, *, ways: Ways, twins: bool) -> bool:
    """Return whether the kernels of the widest mode fit into the rows."""
    limit = arch.weight_rows
    found = first_placement(views, arch, copies=copies, limit=limit, ways=ways, twins=twins)
    return found is not None


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
        start = first_placement(views, arch, copies=copies, limit=limit, ways=ways, twins=twins)
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

    def _cycles(self, task: tasks.Task, runs: Sequence[Placed]) -> dict[int, float]:
        """Return the cycles of a task in each mode."""
        found = self._ways.task_cycles(self._views[task.name], task, runs)
        if found is None:
            raise CompileError(too_large(self._views, self._arch))
        return found

    def _candidates_of(self, task: tasks.Task) -> list[Candidate]:
        """Return the copies that would save cycles in some mode."""
        view, arch, runs = self._views[task.name], self._arch, self._placement[task]
        modes = list(tasks.task_modes(task, view, arch))
        kernels = {mode: task.kernels(view, mode, arch) for mode in modes}
        octets = {tasks.octets_for(view, kernels[mode], arch) for mode in modes}
        blocks = {tasks.segments_of(view, kernels[mode], mode, arch) for mode in modes}
        rows = {(run.octets, run.row) for run in runs if run.first_block == 0}
        sizes = {
            (size, chains)
            for size in octets_from(view, octets, arch)
            for mode in modes
            if (chains := tasks.chains_of(view, kernels[mode], size, arch)) == 1 or arch.any_kernel
        }
        found = []
        for width in sorted(each for each in blocks if each <= arch.segments):
            for size, chains in sorted(sizes):
                form = Form(octets=size, chains=chains, copies=1, blocks=width)
                most = min(arch.segments // form.segments, view.positions)
                for count in range(1, most + 1):
                    found.append(self._candidate(task, replace(form, copies=count), None))
            for size, row in sorted(rows):
                chains = len(
                    {run.first_kernel for run in runs if (run.octets, run.row) == (size, row)}
                )
                form = Form(octets=size, chains=chains, copies=1, blocks=width)
                found.append(self._candidate(task, form, row))
        return [each for each in found if max(each.saved.values(), default=0) > 0]

    def _candidate(self, task: tasks.Task, form: Form, row: int | None) -> Candidate:
        """Return copies and what they would save."""
        more = form.runs(task, self._arch, row=-1 if row is None else row)
        before = self._costs[task]
        after = self._cycles(task, [*self._placement[task], *more])
        saved = {mode: before[mode] - after[mode] for mode in before}
        return Candidate(task=task, form=form, row=row, saved=saved)

    def _place_of(self, each: Candidate) -> tuple[int, list[int]] | None:
        """Return the shelf and the segments for copies, or None."""
        planes, form = self._views[each.task.name].weight_planes, each.form
        if each.row is None:
            return self._shelves.find(form.count, form.blocks, planes)
        shelf = self._shelves.at(each.row)
        runs = shelf.runs(form.blocks)[: form.count]
        number = self._shelves.shelves.index(shelf)
        return (number, runs) if len(runs) == form.count else None

    def _add(self, each: Candidate) -> None:
        """Add copies, and remove runs that no mode uses any more."""
        place, planes = self._place_of(each), self._views[each.task.name].weight_planes
        if place is None:
            raise ValueError(f"no rows are left for {each}")
        row = self._shelves.take(*place, each.form.blocks, planes)
        runs = self._placement[each.task]
        runs += each.form.runs(each.task, self._arch, row=row, starts=place[1])
        used = self._used(each.task)
        for run in [run for run in runs if (run.octets, run.row) not in used]:
            self._shelves.release(run)
            runs.remove(run)
        self._costs[each.task] = self._cycles(each.task, runs)
        self._candidates[each.task] = self._candidates_of(each.task)

    def _used(self, task: tasks.Task) -> set[tuple[int, int]]:
        """Return the row sets of a task that some mode uses."""
        view, found = self._views[task.name], set()
        for mode in tasks.task_modes(task, view, self._arch):
            kernels = task.kernels(view, mode, self._arch)
            best = self._ways.best(view, kernels, mode, self._placement[task])
            if best is not None:
                found |= {(run.octets, run.row) for run in best[1].runs}
        return found
