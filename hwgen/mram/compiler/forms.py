"""Forms: how the kernels of a round stand side by side, on chips of any kernels.

A row of a group may hold kernels of several positions, or several kernels of one position, or both.
Kernels side by side take fewer octets, so that more groups work, and a round may have more of them.

Tests: `tests/mram/compiler/test_forms.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from hwgen.mram.compiler.shelves import Placed
from hwgen.mram.compiler.tasks import (
    Task,
    chains_of,
    octets_for,
    segments_of,
    task_modes,
    tasks_of,
)
from hwgen.mram.compiler.views import View
from hwgen.mram.compiler.ways import Ways
from hwgen.mram.facts.arch import Arch

Effort = tuple[float, int, int]
"""Cycles of all modes, sub-arrays that work at a load times loads, segments."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """A number of runs of segments in one row set.

    octets: of a group; chains: kernels of a sub-array for one position
    copies: of each, for so many positions; blocks: segments of a run
    """

    octets: int
    chains: int
    copies: int
    blocks: int

    @property
    def count(self) -> int:
        """Runs that it has."""
        return self.copies * self.chains

    @property
    def segments(self) -> int:
        """Segments that it takes."""
        return self.count * self.blocks

    def runs(
        self,
        task: Task,
        arch: Arch,
        *,
        row: int = -1,
        starts: Sequence[int] | None = None,
        first_block: int = 0,
    ) -> list[Placed]:
        """Return its runs; starts: their first segments, None: they are not known yet.

        Of the last blocks of a kernel a second copy is a twin.
        """
        numbers = product(range(self.copies), range(self.chains))
        return [
            Placed(
                task=task,
                first_kernel=task.first + chain * self.octets * arch.block,
                octets=self.octets,
                row=row,
                segment=starts[index] if starts else 0,
                first_block=first_block,
                blocks=self.blocks,
                twin=first_block > 0 and copy > 0,
            )
            for index, (copy, chain) in enumerate(numbers)
        ]


def octets_from(view: View, octets: Iterable[int], arch: Arch) -> set[int]:
    """Return the octets that a group may have where it needs some of these without chains."""
    needed = set(octets)
    if not arch.any_kernel or view.depthwise:
        return needed
    return {1 << log for log in range(max(needed).bit_length())}


def first_form(view: View, task: Task, arch: Arch, copies: int) -> Form:
    """Return the form that needs the fewest chains, with so many copies at most."""
    mode = next(task_modes(task, view, arch))
    kernels = task.kernels(view, mode, arch)
    octets, blocks = octets_for(view, kernels, arch), segments_of(view, kernels, mode, arch)
    chains = chains_of(view, kernels, octets, arch)
    fitting = min(copies, arch.segments // (chains * blocks), view.positions)
    return Form(octets=octets, chains=chains, copies=fitting, blocks=blocks)


def best_form(view: View, task: Task, arch: Arch, ways: Ways, copies: int) -> tuple[Effort, Form]:
    """Return the form with the least effort that takes no more segments than the first one."""
    first = first_form(view, task, arch, copies)
    kernels = task.kernels(view, next(task_modes(task, view, arch)), arch)
    room = min(arch.segments, copies * first.chains * first.blocks)
    found = []
    for octets in octets_from(view, [first.octets], arch):
        one = replace(first, octets=octets, chains=chains_of(view, kernels, octets, arch), copies=1)
        for count in range(1, min(room // one.segments, view.positions) + 1):
            form = replace(one, copies=count)
            effort = effort_of(form, view, task, arch, ways)
            if effort is not None:
                found.append((effort, form))
    return min(found, key=lambda each: each[0])


def effort_of(form: Form, view: View, task: Task, arch: Arch, ways: Ways) -> Effort | None:
    """Return what a form takes; None: a mode lacks its kernels."""
    cycles = ways.task_cycles(view, task, form.runs(task, arch))
    if cycles is None:
        return None
    kernels = task.kernels(view, next(task_modes(task, view, arch)), arch)
    arrays = min(kernels, form.octets * arch.block) * -(-view.positions // form.copies)
    return sum(cycles.values()), arrays, form.segments


def with_rounds(views: Mapping[str, View], arch: Arch, ways: Ways) -> dict[str, View]:
    """Return layers whose rounds have as many kernels as is fastest, each in a row set alone."""
    known: dict[tuple[object, ...], int] = {}
    found = {}
    for name, view in views.items():
        if view.shape not in known:
            known[view.shape] = together(view, arch, ways)
        found[name] = replace(view, together=known[view.shape])
    return found


def together(view: View, arch: Arch, ways: Ways) -> int:
    """Return the kernels of a round with which a layer is fastest; 0: as many as sub-arrays."""
    tried_sizes, efforts = list(sizes(view, arch)), dict[int, Effort]()
    if not tried_sizes:
        return 0
    for size in (0, *tried_sizes):
        tried, total = replace(view, together=size), (0.0, 0, 0)
        for task in tasks_of(tried, arch):
            effort, _ = best_form(tried, task, arch, ways, arch.segments)
            total = total[0] + effort[0], total[1] + effort[1], total[2] + effort[2]
        efforts[size] = total
    return min(efforts, key=lambda size: efforts[size])


def sizes(view: View, arch: Arch) -> Iterator[int]:
    """Yield the kernels that a row set may hold beside each other, for one position."""
    widest = max(range(len(view.kernels)), key=lambda mode: view.channels[mode])
    blocks = segments_of(view, 1, widest, arch)
    if view.depthwise or view.rows or blocks > arch.segments:
        return
    kernels = max(view.kernels)
    seen = {
        octets * chains * arch.block
        for octets in octets_from(view, [arch.octets], arch)
        for chains in range(1, arch.segments // blocks + 1)
    }
    yield from sorted(size for size in seen if size < kernels or size // 2 < kernels)
