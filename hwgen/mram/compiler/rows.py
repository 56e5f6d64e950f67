"""Weight rows: the bits of all sub-arrays, and the list of what stands where.

Tests: `tests/mram/compiler/test_execute.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.mram.compiler.search import Placement
from hwgen.mram.compiler.shelves import Placed
from hwgen.mram.compiler.tasks import Task, round_size
from hwgen.mram.compiler.views import View
from hwgen.mram.facts.arch import TAPS, Arch
from hwgen.mram.facts.program import PlacedSegment

Bits = NDArray[np.bool_]


def weight_rows(placement: Placement, views: Mapping[str, View], arch: Arch) -> Bits:
    """Return the rows that hold weights, (rows, sub_arrays, columns); at least one row."""
    ends = [
        run.row + views[task.name].weight_planes for task, runs in placement.items() for run in runs
    ]
    found = np.zeros((max(ends, default=1), arch.sub_arrays, arch.array.columns), np.bool_)
    for task, runs in placement.items():
        view = views[task.name]
        for run in runs:
            rows, columns = run_place(run, view, arch)
            found[rows, :, columns] = run_bits(run, view, arch)
    return found


def run_place(run: Placed, view: View, arch: Arch) -> tuple[slice, slice]:
    """Return the rows and the columns of a run."""
    width = arch.segment_columns
    rows = slice(run.row, run.row + view.weight_planes)
    return rows, slice(run.segment * width, (run.segment + run.blocks) * width)


def run_bits(run: Placed, view: View, arch: Arch) -> Bits:
    """Return the bits of a run in all sub-arrays: (planes, sub_arrays, columns of the run)."""
    cells = view.cells(run.task.mode or 0)
    planes = np.arange(view.weight_planes)[:, None, None]
    if view.depthwise:
        return (depthwise_numbers(run, cells, arch) >> planes & 1).astype(np.bool_)
    begin, count = run.first_block * arch.block, run.blocks * arch.block
    values = np.zeros((len(cells), count, *cells.shape[1:3]), np.int64)
    part = np.moveaxis(cells[..., begin : begin + count], 3, 1)
    values[:, : part.shape[1]] = part
    kernels = run.first_kernel + np.arange(arch.sub_arrays) % (run.octets * arch.block)
    last = min(len(cells), run.task.first + round_size(view, run.task.first, arch))
    flat = np.zeros((arch.sub_arrays, count * TAPS), np.int64)
    there = kernels < last
    flat[there] = values[kernels[there]].reshape(int(there.sum()), -1)
    if run.twin:
        # The highest plane counts negative: it stands alone.
        below = flat & ((1 << view.weight_planes - 1) - 1)
        return (below >> planes + 1 & 1).astype(np.bool_)
    return (flat >> planes & 1).astype(np.bool_)


def depthwise_numbers(run: Placed, cells: NDArray[np.int64], arch: Arch) -> NDArray[np.int64]:
    """Return what columns of a depthwise run hold, (sub_arrays, columns): lane i has channel i."""
    found = np.zeros((arch.octets, arch.block, run.blocks, arch.block, TAPS), np.int64)
    kernels = cells[run.task.first :][: run.blocks * arch.block].reshape(-1, TAPS)
    for number, taps in enumerate(kernels):
        block, lane = divmod(number, arch.block)
        found[:, lane, block, lane] = taps
    return found.reshape(arch.sub_arrays, -1)


def placed_segments(placement: Placement, views: Mapping[str, View]) -> list[PlacedSegment]:
    """Return what every occupied segment holds, by row and segment."""
    found = [
        PlacedSegment(
            weight_row=run.row,
            segment=run.segment + block,
            layer=task.name,
            copy=copy,
            block=run.first_block + block,
            first_kernel=run.first_kernel,
            octets=run.octets,
            planes=views[task.name].weight_planes,
            mode=task.mode,
        )
        for task, runs in placement.items()
        for run, copy in numbered(runs)
        for block in range(run.blocks)
    ]
    return sorted(found, key=lambda each: (each.weight_row, each.segment))


def numbered(runs: Sequence[Placed]) -> Iterator[tuple[Placed, int]]:
    """Yield runs with their numbers among those of one row set with the same kernels."""
    seen: dict[tuple[int, int, int], int] = {}
    for run in sorted(runs, key=lambda run: run.segment):
        key = run.octets, run.row, run.first_kernel
        yield run, seen.get(key, 0)
        seen[key] = seen.get(key, 0) + 1


def placement_of(segments: Sequence[PlacedSegment]) -> list[Placed]:
    """Return the runs that a list of segments describes; the task of each begins with its own."""
    first: dict[tuple[object, ...], Placed] = {}
    for each in sorted(segments, key=lambda each: (each.weight_row, each.segment)):
        task = Task(name=each.layer, first=each.first_kernel, mode=each.mode)
        key = task, each.octets, each.weight_row, each.copy
        old = first.get(key)
        first[key] = Placed(
            task=task,
            first_kernel=each.first_kernel,
            octets=each.octets,
            row=each.weight_row,
            segment=old.segment if old else each.segment,
            first_block=old.first_block if old else each.block,
            blocks=1 + (old.blocks if old else 0),
        )
    return list(with_twins(first.values()))


def with_twins(runs: Iterable[Placed]) -> Iterator[Placed]:
    """Yield runs; of two with the same last blocks in a row set the second one is the twin."""
    seen = set()
    for run in runs:
        key = run.task, run.octets, run.row, run.first_block
        yield replace(run, twin=run.first_block > 0 and key in seen)
        seen.add(key)
