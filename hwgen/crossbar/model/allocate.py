"""How many of each component a layer gets, and how long a pipeline step is (Eq. 5 and 6).

Published: the whole peripheral budget is spent, in proportion to work, and rounded up. Strict: the
step is the shortest for which the rounded counts fit into the budget, never below its floor, and
nothing is bought that such a step does not need.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.design import Design, Layout
from hwgen.crossbar.model.macros import (
    macros_alike,
    whole_counts,
)
from hwgen.crossbar.model.tables import (
    ACCESS_NS,
    ADC,
    DAC,
    FC,
    FLOOR,
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
def allocate_strict(tables: Tables, design: Design, layout: Layout, taken_w: float) -> Allocation:
    """Find the shortest step, of whole clocks, whose counts fit into the budget."""
    alike = macros_alike(tables, design, layout)
    budget = tables.scalars[POWER] - taken_w
    low = high = np.ceil(tables.scalars[FLOOR])
    counts = whole_counts(tables, design, layout, alike, high)
    while power_of(tables, counts) > budget:
        low = high
        high *= 2
        counts = whole_counts(tables, design, layout, alike, high)
        if high > LONGEST_STEP_NS:
            return Allocation(np.zeros_like(counts), 0.0, 0.0, NO_POWER)
    while np.floor((low + high) / 2) > low:
        middle = np.floor((low + high) / 2)
        trial = whole_counts(tables, design, layout, alike, middle)
        if power_of(tables, trial) <= budget:
            high, counts = middle, trial
        else:
            low = middle
    return Allocation(counts, high, taken_w + power_of(tables, counts), FEASIBLE)


@compiled
def allocate(tables: Tables, design: Design, layout: Layout, memory: int) -> Allocation:
    """Return counts, step and peak power of a design with scratchpads of one capacity."""
    taken = layout.total_macros * memory_peak(tables, memory) + tables.scalars[NOC_POWER]
    rram = used_crossbars(tables, layout) * tables.crossbar[PEAK]
    if tables.rules.whole_parts:
        return allocate_strict(tables, design, layout, rram + taken)
    return allocate_published(tables, layout, layer_work(tables, design, layout), rram, taken)


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
    step = tables.scalars[FLOOR]
    for i in range(len(work)):
        if tables.kind[i] == FC:
            continue
        for c in range(work.shape[1]):
            if c != DAC and counts[i, c] > 0:
                step = max(step, work[i, c] / (tables.parts[c, RATE] * counts[i, c]))
    peak = rram_w + taken_w + power_of(tables, counts)
    return Allocation(counts, step, peak, FEASIBLE)
