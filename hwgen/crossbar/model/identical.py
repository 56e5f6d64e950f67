"""Identical macros: every macro holds as many of a component as the one that needs most.

For the ablation of Fig. 8 (seed 003). The published code raises all counts to that after it has
spent the budget, and so exceeds it (shared sheet, section 3, step 7, and section 8, defect 8). Here
the budget is kept: the step is the shortest for which the raised counts fit.
"""

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.allocate import (
    BISECTIONS,
    FEASIBLE,
    NO_POWER,
    Allocation,
    allocate,
    counts_for,
    layer_work,
    memory_peak,
    power_of,
    used_crossbars,
)
from hwgen.crossbar.model.design import Design, Layout
from hwgen.crossbar.model.macros import macros_alike, whole_counts
from hwgen.crossbar.model.tables import (
    ADC,
    FC,
    FLOOR,
    IDENTICAL,
    NOC_POWER,
    PEAK,
    POWER,
    RATE,
    RATIO,
    Floats,
    Tables,
)

LONGEST = 1 << 20
"""Longest step that is tried, in floors."""


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
def counts_at(
    tables: Tables, design: Design, layout: Layout, work: Floats, step_ns: float
) -> Floats:
    """Return the equal counts that do all work in a step."""
    if tables.rules.whole_parts:
        alike = macros_alike(tables, design, layout)
        counts = whole_counts(tables, design, layout, alike, step_ns)
    else:
        counts = counts_for(tables, work, step_ns)
    return equalized(tables, layout, counts)


@compiled
def allocate_identical(tables: Tables, design: Design, layout: Layout, memory: int) -> Allocation:
    """Return the counts of identical macros with the shortest step that the budget holds."""
    work = layer_work(tables, design, layout)
    taken = layout.total_macros * memory_peak(tables, memory) + tables.scalars[NOC_POWER]
    rram = used_crossbars(tables, layout) * tables.crossbar[PEAK]
    # Both rules keep the whole budget; published rules keep the share of the crossbars, too.
    budget = tables.scalars[POWER] - taken - rram
    if not tables.rules.whole_parts:
        budget = min(budget, tables.scalars[POWER] * (1 - tables.scalars[RATIO]) - taken)
    floor = tables.scalars[FLOOR]
    low = high = np.ceil(floor) if tables.rules.whole_clocks else floor
    while power_of(tables, counts_at(tables, design, layout, work, high)) > budget:
        low = high
        high *= 2
        if high > LONGEST * tables.scalars[FLOOR]:
            return Allocation(np.zeros_like(work), 0.0, 0.0, NO_POWER)
    if high > low:
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            if power_of(tables, counts_at(tables, design, layout, work, middle)) <= budget:
                high = middle
            else:
                low = middle
    high = np.ceil(high) if tables.rules.whole_clocks else high
    counts = counts_at(tables, design, layout, work, high)
    step = high if tables.rules.whole_clocks else max(floor, slowest(tables, work, counts))
    return Allocation(counts, step, rram + taken + power_of(tables, counts), FEASIBLE)


def allocate_for(tables: Tables, design: Design, layout: Layout, memory: int) -> Allocation:
    """Return the counts of identical macros where the tables ask for them, else of specialized."""
    if tables.scalars[IDENTICAL] > 0:
        return allocate_identical(tables, design, layout, memory)
    return allocate(tables, design, layout, memory)


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
