"""What each macro of a layer holds, and the components that it needs for that, in whole parts.

A macro has whole copies of a layer, or some row tiles of one copy; see
`hwgen.crossbar.facts.holdings`, which says the same in plain Python.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.design import Design, Layout
from hwgen.crossbar.model.tables import (
    ADC,
    ADDITION,
    DAC,
    LANES,
    RATE,
    SHIFT_ADD,
    Floats,
    Ints,
    Tables,
)
from hwgen.crossbar.model.travels import ceil_div, share_of

TINY = 1e-9
"""A number so little below a whole one is that one."""


@opaque
class Alike(NamedTuple):
    """Macros that hold as much of the same layers as each other; lists of equal length.

    layer, mate: whose they are; -1: no mate
    alike: of such macros
    tiles, mate_tiles: copies x row tiles in each of them
    results, mate_results: copies whose sums are whole in each of them
    """

    layer: Ints
    mate: Ints
    alike: Ints
    tiles: Ints
    results: Ints
    mate_tiles: Ints
    mate_results: Ints


@compiled
def macros_alike(tables: Tables, design: Design, layout: Layout) -> Alike:
    """Return what macros hold, those that hold the same together."""
    rows = np.zeros((7, layout.total_macros + len(tables.kind)), np.int64)
    n = 0
    for i in range(len(tables.kind)):
        if tables.crossbars[i] == 0 or 0 <= design.mate[i] < i:
            continue
        first, j = n, design.mate[i]
        for place in range(layout.shared_macros[i]):
            tiles, results = held_by(tables, layout, i, place)
            mate_tiles, mate_results = 0, 0
            if j >= 0:
                mate_tiles, mate_results = held_by(tables, layout, j, place)
            k = first
            while k < n and not (
                rows[3, k] == tiles
                and rows[4, k] == results
                and rows[5, k] == mate_tiles
                and rows[6, k] == mate_results
            ):
                k += 1
            rows[:, k] = i, j, rows[2, k], tiles, results, mate_tiles, mate_results
            rows[2, k] += 1
            n = max(n, k + 1)
    return Alike(
        rows[0, :n], rows[1, :n], rows[2, :n], rows[3, :n], rows[4, :n], rows[5, :n], rows[6, :n]
    )


@compiled
def held_by(tables: Tables, layout: Layout, i: int, place: int) -> tuple[int, int]:
    """Return copies x row tiles in a macro of layer i, and copies whose sums are whole there."""
    return share_of(layout.copies[i], tables.row_tiles[i], layout.shared_macros[i], place)


@compiled
def capacity(tables: Tables, c: int, clocks: int, step_ns: float) -> float:
    """Return the operations of one component in some steps; a part of one is none."""
    return float(np.floor(clocks * step_ns * tables.parts[c, RATE] + TINY))


@inlined
def parts_for(work: float, capacity: float) -> float:
    """Return the components that do some work, one at least; inf: none can."""
    return float(max(1.0, np.ceil(work / capacity - TINY))) if capacity > 0 else np.inf


@compiled
def work_in(tables: Tables, layout: Layout, i: int, tiles: int, results: int) -> Floats:
    """Return the operations in a step of one macro of layer i, by component."""
    work: Floats = tables.work[i] * results
    tiles_of_copy = tables.row_tiles[i]
    for c in (ADC, SHIFT_ADD, ADDITION):
        work[c] = tables.work[i, c] / tiles_of_copy * tiles
    work[DAC] = 0.0
    if tables.rules.chain_before_activation and layout.chain_macros[i] > 1:
        work[ADDITION] += vectors_of(tables, i)
    return work


@compiled
def chain_additions(tables: Tables, layout: Layout, i: int) -> int:
    """Return the additions of a block of layer i along the macros of its copies."""
    if tables.rules.chain_before_activation and layout.chain_macros[i] > 1:
        return int(layout.shared_macros[i] * vectors_of(tables, i))
    return 0


@compiled
def vectors_of(tables: Tables, i: int) -> int:
    """Return the vectors of all channels of a pixel."""
    return int(ceil_div(tables.cout[i], int(tables.scalars[LANES])))


@compiled
def whole_counts(
    tables: Tables, design: Design, layout: Layout, alike: Alike, step_ns: float
) -> Floats:
    """Return the least components, whole in each macro, that do all work in a step.

    Of a pair that shares its macros each has as many ADCs as the layer that asks for more; they
    count for the layer that converts more altogether.
    """
    counts = np.zeros_like(tables.work)
    for i in range(len(tables.kind)):
        counts[i, DAC] = tables.work[i, DAC] * layout.copies[i]
        if tables.crossbars[i] == 0:
            for c in range(ADC, counts.shape[1]):
                done = tables.work[i, c] * layout.copies[i]
                if done > 0:
                    counts[i, c] = parts_for(done, capacity(tables, c, 1, step_ns))
    for k in range(len(alike.layer)):
        i, j, count = alike.layer[k], alike.mate[k], alike.alike[k]
        own = parts_in(tables, design, layout, i, alike.tiles[k], alike.results[k], step_ns)
        if j < 0:
            counts[i] += count * own
            continue
        other = parts_in(
            tables, design, layout, j, alike.mate_tiles[k], alike.mate_results[k], step_ns
        )
        more = tables.work[j, ADC] * layout.copies[j] > tables.work[i, ADC] * layout.copies[i]
        buyer = j if more else i
        counts[buyer, ADC] += count * max(own[ADC], other[ADC])
        own[ADC] = other[ADC] = 0.0
        counts[i] += count * own
        counts[j] += count * other
    return counts


@compiled
def parts_in(
    tables: Tables, design: Design, layout: Layout, i: int, tiles: int, results: int, step_ns: float
) -> Floats:
    """Return the components that one macro needs for a layer; no DACs."""
    work = work_in(tables, layout, i, tiles, results)
    for c in range(ADC, len(work)):
        if work[c] > 0:
            clocks = design.clocks[i] if c in (ADC, SHIFT_ADD, ADDITION) else 1
            room = capacity(tables, c, clocks, step_ns)
            work[c] = parts_for(work[c], room)
    return work
