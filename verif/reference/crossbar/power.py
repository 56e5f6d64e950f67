"""How many components a layer gets, and the length of a pipeline step (Eq. 5 and 6).

Tests: `tests/crossbar/model/test_by_hand.py`.
"""

import math
from dataclasses import dataclass

from hwgen.crossbar.facts.components import Scratchpad
from verif.reference.crossbar.case import DIGITAL, Case

Counts = list[dict[str, float]]
"""By layer, then by component."""

Works = list[list[dict[str, float]]]
"""By layer, then by macro, then by component."""

SLOWED = ("adc", "shift_add", "addition")
"""What of a fully connected layer may take several steps for a bit step."""

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
    crossbars_w = case.peak_w(case.crossbar) * sum(
        placed.copies * placed.crossbars for placed in case.plan.layers
    )
    fixed_w = case.plan.macros * memory_peak_w(case, memory)
    fixed_w += case.components.network_on_chip.power_w
    if case.rules.whole_parts:
        found = shortest_step(case, case.power_w - crossbars_w - fixed_w)
    else:
        ratio = case.point.rram_ratio or 0.0
        found = in_proportion(case, shared_work(case), case.power_w * (1 - ratio) - fixed_w)
    if found is None:
        return None
    counts, step_ns = found
    peak_w = crossbars_w + fixed_w + power_of(case, counts)
    return Allocation(counts=counts, step_ns=step_ns, peak_w=peak_w)


def memory_peak_w(case: Case, memory: Scratchpad) -> float:
    """Return the peak of one scratchpad: leakage, and (strict) access after access."""
    if not case.rules.static_plus_dynamic:
        return memory.leakage_w
    return memory.leakage_w + max(memory.read_nj, memory.write_nj) / case.access_ns(memory)


def shared_work(case: Case) -> Counts:
    """Return each layer's operations in one pipeline step, as the published code has them.

    Of a pair that shares macros only the layer with more conversions buys ADCs, the earlier one of
    equal ones.
    """
    work = [case.work(place) for place in range(len(case.network.layers))]
    for place, partner in enumerate(case.choice.partner):
        if partner > place:
            lesser = partner if work[partner]["adc"] <= work[place]["adc"] else place
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
            name: each if name == "dac" else parts_for(each, case.rate(name) * step_ns)
            for name, each in layer.items()
        }
        for layer in work
    ]


def parts_for(operations: float, capacity: float) -> float:
    """Return the parts of some capacity that do so many operations; inf: none can."""
    if operations == 0:
        return 0
    return math.ceil(operations / capacity * (1 - 1e-13)) if capacity > 0 else math.inf


def clocks_of(case: Case, place: int, name: str) -> int:
    """Return the steps in which a component does the work of a bit step, or of a block.

    Of a fully connected layer what follows the bits takes several.
    """
    return case.choice.clocks[place] if name in SLOWED else 1


def capacity_of(case: Case, place: int, name: str, step_ns: float) -> float:
    """Return the operations that one component does; a part of one is none."""
    return math.floor(clocks_of(case, place, name) * step_ns * case.rate(name) + 1e-9)


def strict_counts(case: Case, works: Works, step_ns: float) -> Counts:
    """Return the least counts of all macros together that do all work in a step.

    In the macros of a pair there are the ADCs of the layer that asks for more.
    """
    each = [
        [
            {
                name: done
                if name == "dac"
                else parts_for(done, capacity_of(case, place, name, step_ns))
                for name, done in work.items()
            }
            for work in macros
        ]
        for place, macros in enumerate(works)
    ]
    for place, partner in enumerate(case.choice.partner):
        if partner > place:
            converted = [sum(work["adc"] for work in works[at]) for at in (place, partner)]
            buyer, other = (partner, place) if converted[1] > converted[0] else (place, partner)
            for one, two in zip(each[buyer], each[other], strict=True):
                one["adc"], two["adc"] = max(one["adc"], two["adc"]), 0
    return [
        {name: sum(one.get(name, 0) for one in macros) for name in names_of(macros)}
        for macros in each
    ]


def shortest_step(case: Case, budget_w: float) -> tuple[Counts, float] | None:
    """Return counts and step of strict rules: no step is shorter and fits into the budget."""
    works = [case.works(place) for place in range(len(case.network.layers))]

    def fits(step_ns: float) -> bool:
        return power_of(case, strict_counts(case, works, step_ns)) <= budget_w

    lengths = [
        done / case.rate(name) / clocks_of(case, place, name)
        for place, macros in enumerate(works)
        for work in macros
        for name, done in work.items()
        if name != "dac" and done > 0
    ]
    clock = case.components.clock_ns
    floor = math.ceil(case.components.step_floor_ns / clock) * clock
    longest = 2 * math.ceil(max(*lengths, floor)) + 2 / slowest_rate(case)
    if fits(floor):
        return strict_counts(case, works, floor), floor
    if not fits(longest):
        return None
    low = floor
    while not fits(min(2 * low, longest)):
        low *= 2
    tries = [clocks * clock for clocks in range(int(floor / clock), int(2 * low / clock) + 1)]
    first, last = 0, len(tries) - 1
    while first < last:
        middle = (first + last) // 2
        if fits(tries[middle]):
            last = middle
        else:
            first = middle + 1
    return strict_counts(case, works, tries[first]), tries[first]


def slowest_rate(case: Case) -> float:
    """Return the operations in a ns of the slowest component."""
    return min(case.rate(name) for name in ("adc", *DIGITAL))
