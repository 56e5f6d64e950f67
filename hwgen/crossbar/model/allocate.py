"""How many of each component a layer and its macros get, and how long a pipeline step is.

Equations 5 and 6 of the paper (seed 003).

Published: the whole peripheral budget is spent, in proportion to work, and rounded up. Strict: the
step is the shortest for which the rounded counts fit into the budget, never below its floor, and
nothing is bought that such a step does not need. A macro has whole copies of a layer, or some row
tiles of one copy (`hwgen.crossbar.facts.holdings` says the same in plain Python); by strict rules
it has whole parts for them.

Identical macros are for the ablation of Fig. 8 (seed 003): every macro holds as many of a component
as the one that needs most. The published code raises all counts to that after it has spent the
budget, and so exceeds it (shared sheet, section 3, step 7, and section 8, defect 8). Here the
budget is kept: the step is the shortest for which the raised counts fit.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.design import Design, Layout
from hwgen.crossbar.model.tables import (
    ACCESS_NS,
    ADC,
    ADDITION,
    CLOCK,
    DAC,
    FC,
    FLOOR,
    IDENTICAL,
    LANES,
    LEAKAGE,
    NOC_POWER,
    PEAK,
    POWER,
    RATE,
    RATIO,
    READ_NJ,
    SHIFT_ADD,
    WRITE_NJ,
    Floats,
    Ints,
    Tables,
)
from hwgen.crossbar.model.traffic import ceil_div, share_of

TINY = 1e-9
"""A number so little below a whole one is that one."""

FEASIBLE, NO_POWER, NO_MEMORY, TOO_MANY_MACROS = range(4)
"""Why a design cannot be built."""

BISECTIONS = 30
LONGEST_STEP_NS = 1e12
"""A step that does not fit when it is so long does not fit at all."""


@opaque
class Alike(NamedTuple):
    """Macros that hold as much of the same layers as each other; lists of equal length.

    layer, partner: whose they are; -1: no partner
    alike: of such macros
    tiles, partner_tiles: copies x row tiles in each of them
    results, partner_results: copies whose sums are whole in each of them
    """

    layer: Ints
    partner: Ints
    alike: Ints
    tiles: Ints
    results: Ints
    partner_tiles: Ints
    partner_results: Ints


@compiled
def macros_alike(tables: Tables, design: Design, layout: Layout) -> Alike:
    """Return what macros hold, those that hold the same together."""
    rows = np.zeros((7, layout.total_macros + len(tables.kind)), np.int64)
    n = 0
    for i in range(len(tables.kind)):
        if tables.crossbars[i] == 0 or 0 <= design.partner[i] < i:
            continue
        first, j = n, design.partner[i]
        for place in range(layout.shared_macros[i]):
            tiles, results = held_by(tables, layout, i, place)
            partner_tiles, partner_results = 0, 0
            if j >= 0:
                partner_tiles, partner_results = held_by(tables, layout, j, place)
            k = first
            while k < n and not (
                rows[3, k] == tiles
                and rows[4, k] == results
                and rows[5, k] == partner_tiles
                and rows[6, k] == partner_results
            ):
                k += 1
            rows[:, k] = i, j, rows[2, k], tiles, results, partner_tiles, partner_results
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
        i, j, count = alike.layer[k], alike.partner[k], alike.alike[k]
        own = parts_in(tables, design, layout, i, alike.tiles[k], alike.results[k], step_ns)
        if j < 0:
            counts[i] += count * own
            continue
        other = parts_in(
            tables, design, layout, j, alike.partner_tiles[k], alike.partner_results[k], step_ns
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


class Allocation(NamedTuple):
    """Counts of components and the pipeline step.

    counts: (layers, components)
    step_ns: length of a pipeline step
    peak_w: of all that is built, counts rounded
    failure: FEASIBLE or why not
    """

    counts: Floats
    step_ns: float
    peak_w: float
    failure: int


@compiled
def layer_work(tables: Tables, design: Design, layout: Layout) -> Floats:
    """Return the operations of each layer and component in a pipeline step.

    Of a pair that shares its macros the layer with less work for the ADCs uses those of the other.
    """
    work = tables.work.copy()
    for i in range(len(tables.kind)):
        for c in range(work.shape[1]):
            work[i, c] *= layout.copies[i]
            if tables.kind[i] == FC and c != DAC:
                work[i, c] /= design.clocks[i]
    for i in range(len(tables.kind)):
        j = design.partner[i]
        if j > i:
            if work[j, ADC] <= work[i, ADC]:
                work[j, ADC] = 0.0
            else:
                work[i, ADC] = 0.0
    return work


@compiled
def used_crossbars(tables: Tables, layout: Layout) -> int:
    """Return the crossbars of the whole chip."""
    used = 0
    for i in range(len(tables.kind)):
        used += tables.crossbars[i] * layout.copies[i]
    return used


@compiled
def memory_peak(tables: Tables, memory: int) -> float:
    """Return the peak power of one scratchpad; the published code counts its leakage alone."""
    row = tables.memories[memory]
    power = row[LEAKAGE]
    if tables.rules.static_plus_dynamic:
        power += max(row[READ_NJ], row[WRITE_NJ]) / row[ACCESS_NS]
    return float(power)


@compiled
def counts_for(tables: Tables, work: Floats, step_ns: float) -> Floats:
    """Return the least counts that do all work in a step; DACs one for each row."""
    counts = np.ceil(work / (tables.parts[:, RATE] * step_ns))
    counts[:, DAC] = work[:, DAC]
    return counts


@compiled
def power_of(tables: Tables, counts: Floats) -> float:
    """Return the peak power of some counts."""
    return float((counts * tables.parts[:, PEAK]).sum())


@compiled
def equalized(tables: Tables, layout: Layout, counts: Floats) -> Floats:
    """Return counts with the most of each component in every macro that has it at all.

    DACs are one for each row. Fully connected layers have no say in published rules, which charge
    a hundredth of their work, but get as many; a layer without weights counts as one macro.
    """
    raised = counts.copy()
    for c in range(ADC, counts.shape[1]):
        most = 0.0
        for i in range(len(counts)):
            if tables.rules.used_columns or tables.kind[i] != FC:
                most = max(most, np.ceil(counts[i, c] / layout.shared_macros[i]))
        for i in range(len(counts)):
            if counts[i, c] > 0:
                raised[i, c] = most * layout.shared_macros[i]
    return raised


@compiled
def slowest(tables: Tables, work: Floats, counts: Floats) -> float:
    """Return the ns that some counts need by published rules, without fully connected layers."""
    longest = 0.0
    for i in range(len(work)):
        if tables.kind[i] == FC:
            continue
        for c in range(ADC, work.shape[1]):
            if counts[i, c] > 0:
                longest = max(longest, work[i, c] / (tables.parts[c, RATE] * counts[i, c]))
    return longest


@compiled
def counts_at(
    tables: Tables,
    design: Design,
    layout: Layout,
    alike: Alike,
    work: Floats,
    step_ns: float,
    raised: bool,
) -> Floats:
    """Return the least counts that do all work in a step; raised: equal in all macros."""
    if tables.rules.whole_parts:
        counts = whole_counts(tables, design, layout, alike, step_ns)
    else:
        counts = counts_for(tables, work, step_ns)
    return equalized(tables, layout, counts) if raised else counts


@compiled
def floor_of(tables: Tables) -> float:
    """Return the shortest step, by strict rules of whole clocks."""
    if not tables.rules.whole_clocks:
        return float(tables.scalars[FLOOR])
    clock = tables.scalars[CLOCK]
    return float(np.ceil(tables.scalars[FLOOR] / clock) * clock)


@compiled
def allocate_shortest(
    tables: Tables, design: Design, layout: Layout, budget: float, taken_w: float, raised: bool
) -> Allocation:
    """Find the shortest step whose counts fit into a budget, beside what else is taken.

    By strict rules it is of whole clocks. raised: all macros have as many of each component
    """
    whole, clock = tables.rules.whole_clocks, tables.scalars[CLOCK]
    work = layer_work(tables, design, layout)
    alike = macros_alike(tables, design, layout)
    low = high = floor = floor_of(tables)
    counts = counts_at(tables, design, layout, alike, work, high, raised)
    while power_of(tables, counts) > budget:
        low = high
        high *= 2
        counts = counts_at(tables, design, layout, alike, work, high, raised)
        if high > LONGEST_STEP_NS:
            return Allocation(np.zeros_like(counts), 0.0, 0.0, NO_POWER)
    turn = 0
    while whole or turn < BISECTIONS:
        turn += 1
        middle = np.floor((low + high) / 2 / clock) * clock if whole else (low + high) / 2
        if middle <= low:
            break
        trial = counts_at(tables, design, layout, alike, work, middle, raised)
        if power_of(tables, trial) <= budget:
            high, counts = middle, trial
        else:
            low = middle
    step = high if whole else max(floor, slowest(tables, work, counts))
    return Allocation(counts, step, taken_w + power_of(tables, counts), FEASIBLE)


@compiled
def allocate(
    tables: Tables, design: Design, layout: Layout, memory: int, raised: bool
) -> Allocation:
    """Return counts, step and peak power of a design with scratchpads of one capacity.

    raised: macros are identical, see `is_raised`. They keep the whole budget by all rules, by
    published ones the share of the crossbars, too.
    """
    taken = layout.total_macros * memory_peak(tables, memory) + tables.scalars[NOC_POWER]
    rram = used_crossbars(tables, layout) * tables.crossbar[PEAK]
    if not (raised or tables.rules.whole_parts):
        return allocate_published(tables, layout, layer_work(tables, design, layout), rram, taken)
    budget = tables.scalars[POWER] - (rram + taken)
    if not tables.rules.whole_parts:
        budget = min(budget, tables.scalars[POWER] * (1 - tables.scalars[RATIO]) - taken)
    return allocate_shortest(tables, design, layout, budget, rram + taken, raised)


def is_raised(tables: Tables) -> bool:
    """Return whether the tables ask for identical macros, each with the most that one needs."""
    return bool(tables.scalars[IDENTICAL] > 0)


@compiled
def allocate_published(
    tables: Tables, layout: Layout, work: Floats, rram_w: float, taken_w: float
) -> Allocation:
    """Spend the peripheral share of the budget, as the sheet's section 3 says."""
    budget = tables.scalars[POWER] * (1 - tables.scalars[RATIO]) - taken_w
    nothing = np.zeros_like(work)
    least = 0.0
    spare = budget
    cost = 0.0
    for i in range(len(work)):
        for c in range(work.shape[1]):
            if c == DAC:
                least += work[i, c] * tables.parts[c, PEAK]
                spare -= work[i, c] * tables.parts[c, PEAK]
            elif tables.work[i, c] > 0:
                least += layout.shared_macros[i] * tables.parts[c, PEAK]
                cost += tables.parts[c, PEAK] * work[i, c] / tables.parts[c, RATE]
    if least >= budget or spare <= 0:
        return Allocation(nothing, 0.0, 0.0, NO_POWER)
    counts = counts_for(tables, work, cost / spare)
    step = max(tables.scalars[FLOOR], slowest(tables, work, counts))
    peak = rram_w + taken_w + power_of(tables, counts)
    return Allocation(counts, step, peak, FEASIBLE)
