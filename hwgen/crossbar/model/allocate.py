"""How many of each component a layer gets, and how long a pipeline step is (Eq. 5 and 6).

Published: the whole peripheral budget is spent, in proportion to work, and rounded up. Strict: the
step is the shortest for which the rounded counts fit into the budget, never below its floor, and
nothing is bought that such a step does not need.

Identical macros are for the ablation of Fig. 8 (seed 003): every macro holds as many of a component
as the one that needs most. The published code raises all counts to that after it has spent the
budget, and so exceeds it (shared sheet, section 3, step 7, and section 8, defect 8). Here the
budget is kept: the step is the shortest for which the raised counts fit.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.design import Design, Layout
from hwgen.crossbar.model.macros import Alike, macros_alike, whole_counts
from hwgen.crossbar.model.tables import (
    ACCESS_NS,
    ADC,
    DAC,
    FC,
    FLOOR,
    IDENTICAL,
    LEAKAGE,
    NOC_POWER,
    PEAK,
    POWER,
    RATE,
    RATIO,
    READ_NJ,
    WRITE_NJ,
    Floats,
    Tables,
)

FEASIBLE, NO_POWER, NO_MEMORY, TOO_MANY_MACROS = range(4)
"""Why a design cannot be built."""

BISECTIONS = 30

LONGEST_STEP_NS = 1e12
"""A step that does not fit when it is so long does not fit at all."""


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
        j = design.mate[i]
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
def allocate_shortest(
    tables: Tables, design: Design, layout: Layout, budget: float, taken_w: float, raised: bool
) -> Allocation:
    """Find the shortest step whose counts fit into a budget, beside what else is taken.

    By strict rules it is of whole clocks. raised: all macros have as many of each component
    """
    whole = tables.rules.whole_clocks
    work = layer_work(tables, design, layout)
    alike = macros_alike(tables, design, layout)
    floor = np.ceil(tables.scalars[FLOOR]) if whole else tables.scalars[FLOOR]
    low = high = floor
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
        middle = np.floor((low + high) / 2) if whole else (low + high) / 2
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
