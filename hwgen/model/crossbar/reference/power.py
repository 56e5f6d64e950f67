"""How many components a layer gets, and the length of a pipeline step (Eq. 5 and 6)."""

import math
from dataclasses import dataclass

from hwgen.model.crossbar.reference.case import Case
from hwgen.spec.crossbar.components import Scratchpad

Counts = list[dict[str, float]]
"""By layer, then by component."""

ROUNDING = 1e-9
"""A quotient so little above a whole number is that number."""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """Components by layer, the pipeline step in ns, and the peak power of the chip in W."""

    counts: Counts
    step_ns: float
    peak_w: float


def allocate(case: Case, memory: Scratchpad) -> Allocation | None:
    """Return the components for scratchpads of one capacity, None if the power does not do."""
    work = shared_work(case)
    crossbars_w = case.peak_w(case.crossbar) * sum(
        placed.copies * placed.crossbars for placed in case.plan.layers
    )
    fixed_w = case.plan.macros * memory_peak_w(case, memory)
    fixed_w += case.components.network_on_chip.power_w
    if case.strict:
        found = shortest_step(case, work, case.power_w - crossbars_w - fixed_w)
    else:
        ratio = case.point.rram_ratio or 0.0
        found = in_proportion(case, work, case.power_w * (1 - ratio) - fixed_w)
    if found is None:
        return None
    counts, step_ns = found
    peak_w = crossbars_w + fixed_w + power_of(case, counts)
    return Allocation(counts=counts, step_ns=step_ns, peak_w=peak_w)


def memory_peak_w(case: Case, memory: Scratchpad) -> float:
    """Return the peak of one scratchpad: leakage, and (strict) access after access."""
    if not case.strict:
        return memory.leakage_w
    return memory.leakage_w + max(memory.read_nj, memory.write_nj) / memory.latency_ns


def shared_work(case: Case) -> Counts:
    """Return each layer's operations in one pipeline step.

    A fully connected layer may take several steps for a bit step. Of a pair that shares macros only
    the layer with more conversions buys ADCs, the earlier one of equal ones.
    """
    work = [case.work(place) for place in range(len(case.network.layers))]
    for place, layer in enumerate(case.network.layers):
        if layer.kind == "fc":
            clocks = case.choice.clocks[place]
            for name in work[place]:
                if name != "dac":
                    work[place][name] /= clocks
    for place, mate in enumerate(case.choice.mate):
        if mate > place:
            lesser = mate if work[mate]["adc"] <= work[place]["adc"] else place
            work[lesser]["adc"] = 0
    return work


def power_of(case: Case, counts: Counts) -> float:
    """Return the peak power in W of all components."""
    return math.fsum(
        number * case.peak_w(case.part(name)) for layer in counts for name, number in layer.items()
    )


def in_proportion(case: Case, work: Counts, budget_w: float) -> tuple[Counts, float] | None:
    """Return counts and step of the published code: the budget is spent in proportion to work."""
    peaks = {name: case.peak_w(case.part(name)) for name in ("dac", "adc", *names_of(work))}
    dacs_w = sum(layer.get("dac", 0) for layer in work) * peaks["dac"]
    least_w = dacs_w
    for place, layer in enumerate(work):
        others = [name for name in layer if name != "dac"]
        least_w += len(case.plan.layers[place].macros) * sum(peaks[name] for name in others)
    if least_w >= budget_w or budget_w <= dacs_w:
        return None
    spent = sum(
        peaks[name] * each / case.rate(name)
        for layer in work
        for name, each in layer.items()
        if name != "dac"
    )
    scale = spent / (budget_w - dacs_w)
    counts = counts_for(case, work, scale)
    step_ns = case.components.step_floor_ns
    for place, layer in enumerate(work):
        for name, each in layer.items():
            if case.network.layers[place].kind != "fc" and name != "dac" and each > 0:
                step_ns = max(step_ns, each / (case.rate(name) * counts[place][name]))
    return counts, step_ns


def names_of(work: Counts) -> list[str]:
    """Return the components that somebody uses."""
    return sorted({name for layer in work for name in layer})


def counts_for(case: Case, work: Counts, step_ns: float) -> Counts:
    """Return the least counts that do all work in a step; of DACs one for each row."""
    return [
        {
            name: each
            if name == "dac"
            else math.ceil(each / (case.rate(name) * step_ns) * (1 - 1e-13))
            for name, each in layer.items()
        }
        for layer in work
    ]


def shortest_step(case: Case, work: Counts, budget_w: float) -> tuple[Counts, float] | None:
    """Return counts and step of strict rules: no step is shorter and fits into the budget.

    Counts change only where one of them can be one less, so these steps are all there is to try.
    """

    def fits(step_ns: float) -> bool:
        return power_of(case, counts_for(case, work, step_ns)) <= budget_w

    floor = case.components.step_floor_ns
    if fits(floor):
        return counts_for(case, work, floor), floor
    lengths = [
        each / case.rate(name)
        for layer in work
        for name, each in layer.items()
        if name != "dac" and each > 0
    ]
    if not fits(max(lengths)):
        return None
    low = floor
    while not fits(min(2 * low, max(lengths))):
        low *= 2
    tries = sorted(
        length / count
        for length in lengths
        for count in range(math.floor(length / (2 * low)), math.ceil(length / low) + 1)
        if count > 0
    )
    first, last = 0, len(tries) - 1
    while first < last:
        middle = (first + last) // 2
        if tries[middle] >= floor and fits(tries[middle]):
            last = middle
        else:
            first = middle + 1
    return counts_for(case, work, tries[first]), tries[first]
