"""Ways to compute a task in a mode on what the rows hold, and the fastest of them.

Tests: `tests/mram/compiler/test_execute.py`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from hwgen.mram.compiler import tasks
from hwgen.mram.compiler.shelves import Placed
from hwgen.mram.compiler.views import View
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import Mapping as Placing
from hwgen.mram.facts.records import POSITION_BITS

MOST_SUMS = (1 << 2 * POSITION_BITS) - 1
"""Sums of a load at most, as the ring counts them."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way: runs of segments for each position of a load, or two runs in two row sets.

    fields: of `hwgen.mram.compiler.tasks.array_fields`
    runs: of each position, one for each chain; of two row sets the first and the second part of
        one position, and the twin of the second, if any
    """

    fields: dict[str, int]
    runs: tuple[Placed, ...]

    @property
    def two_rows(self) -> bool:
        """Whether a kernel takes two row sets."""
        return bool(self.fields["two_rows"])

    @property
    def chains(self) -> int:
        """Kernels that a sub-array computes for a position, side by side."""
        return 1 if self.two_rows else len(self.runs) // self.fields["positions"]


class Ways:
    """Finds the fastest way; costs are remembered by what decides them."""

    def __init__(self, arch: Arch, mapping: Placing, cost: tasks.LayerCost) -> None:
        self._arch, self._mapping, self._cost = arch, mapping, cost
        self._known: dict[tuple[object, ...], float] = {}
        self._tasks: dict[tuple[object, ...], dict[int, float] | None] = {}

    def task_cycles(
        self, view: View, task: tasks.Task, runs: Sequence[Placed]
    ) -> dict[int, float] | None:
        """Return the cycles of a task in each mode that needs it; None if one lacks its kernels.

        Layers of one shape with equal runs are rated once.
        """
        rows = defaultdict[tuple[int, int], list[tuple[int, int, int]]](list)
        for run in runs:
            part = run.first_kernel - task.first, run.first_block, run.blocks
            rows[run.octets, run.row].append(part)
        groups = sorted((octets, tuple(sorted(each))) for (octets, _), each in rows.items())
        key = view.shape, task.first, task.mode, tuple(groups)
        if key not in self._tasks:
            found: dict[int, float] | None = {}
            for mode in tasks.task_modes(task, view, self._arch):
                best = self.best(view, task.kernels(view, mode, self._arch), mode, runs)
                found = None if best is None or found is None else {**found, mode: best[0]}
            self._tasks[key] = found
        return self._tasks[key]

    def best(
        self, view: View, kernels: int, mode: int, placed: Sequence[Placed]
    ) -> tuple[float, Way] | None:
        """Return the fastest way and its cycles; None if the kernels are not in the rows."""
        found: tuple[float, Way] | None = None
        for way in self._all(view, kernels, mode, placed):
            cycles = self._cycles(view, way)
            if found is None or cycles < found[0]:
                found = cycles, way
        return found

    def _cycles(self, view: View, way: Way) -> float:
        key = tuple(way.fields.values())
        if key not in self._known:
            self._known[key] = self._cost(view.layer.name, way.fields)
        return self._known[key]

    def _all(self, view: View, kernels: int, mode: int, placed: Sequence[Placed]) -> Iterator[Way]:
        arch, blocks = self._arch, tasks.segments_of(view, kernels, mode, self._arch)
        rows = defaultdict[tuple[int, int], list[Placed]](list)
        for run in placed:
            rows[run.octets, run.row].append(run)
        for (octets, _), runs in rows.items():
            whole = [run for run in runs if run.first_block == 0 and run.blocks >= blocks]
            chains = tasks.chains_of(view, kernels, octets, arch)
            copies = positions_in(whole, chains, octets * arch.block)
            most = 1 if self._mapping == "seed" else min(len(copies), view.positions)
            most = min(most, MOST_SUMS // -(-kernels // arch.block))
            for count in range(min(most, len(copies)), 0, -1):
                chosen = [run for each in copies[:count] for run in each]
                yield self._way(view, kernels, mode, chosen, two_rows=False)
        of_one = {
            key: runs
            for key, runs in rows.items()
            if tasks.chains_of(view, kernels, key[0], arch) == 1
        }
        if 2 * view.input_planes <= arch.plane_rows:
            for head, tail in pairs(of_one, blocks):
                twins = [run for run in of_one[tail.octets, tail.row] if is_twin(run, tail)]
                yield self._way(view, kernels, mode, [head, tail, *twins[:1]], two_rows=True)

    def _way(
        self, view: View, kernels: int, mode: int, runs: Sequence[Placed], *, two_rows: bool
    ) -> Way:
        octets = runs[0].octets
        chains = tasks.chains_of(view, kernels, octets, self._arch)
        fields = tasks.array_fields(
            view,
            kernels,
            view.channels[mode],
            self._arch,
            first=runs[0].task.first,
            octets=octets,
            positions=1 if two_rows else len(runs) // chains,
            rows=1 + two_rows,
            groups=self._groups(octets),
        )
        if self._arch.twins:
            twins = [run for run in runs if run.twin]
            fields["twins"] = sum(((1 << run.blocks) - 1) << run.segment for run in twins)
        return Way(fields=fields, runs=tuple(runs))

    def _groups(self, octets: int) -> int:
        """Return the groups of so many octets that take positions of a layer."""
        most = self._arch.octets // octets
        return min(most, max(1, self._arch.kernel_copies)) if self._mapping == "seed" else most


def positions_in(runs: Sequence[Placed], chains: int, kernels: int) -> list[tuple[Placed, ...]]:
    """Return the runs of each position that a row set has: one for each chain of so many kernels.

    runs: with all channels
    """
    parts: list[list[Placed]] = [[] for _ in range(chains)]
    for run in runs:
        number = (run.first_kernel - run.task.first) // kernels
        if number < chains:
            parts[number].append(run)
    return list(zip(*parts, strict=False))


def is_twin(run: Placed, tail: Placed) -> bool:
    """Return whether a run of the same row set is the twin of another one."""
    return run.twin and (run.first_block, run.blocks) == (tail.first_block, tail.blocks)


def pairs(
    rows: Mapping[tuple[int, int], Sequence[Placed]], blocks: int
) -> Iterator[tuple[Placed, Placed]]:
    """Yield runs in two row sets that together hold so many blocks of a task's kernels."""
    heads = [
        run for runs in rows.values() for run in runs if run.first_block == 0 < blocks - run.blocks
    ]
    for (octets, row), tails in rows.items():
        for head, tail in product(heads, tails):
            apart = octets == head.octets and row != head.row and not tail.twin
            follows = tail.first_block == head.blocks
            if apart and follows and tail.first_block + tail.blocks >= blocks:
                yield head, tail
