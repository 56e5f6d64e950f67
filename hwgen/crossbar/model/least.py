"""How many watts would do: the least that some design with one copy of the weights needs."""

import math
from collections.abc import Iterator

import numpy as np

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.allocate import FEASIBLE, memory_peak
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.evaluate import Cost, evaluate
from hwgen.crossbar.model.tables import (
    ADC,
    DAC,
    FC,
    NOC_POWER,
    PEAK,
    POWER,
    RATIO,
    Tables,
    make_tables,
)

GROWTH = 1.02
TRIES = 300
DIGITS = 3
"""Significant digits of an answer, rounded up."""

FEWEST_CONVERSIONS = 1024
"""Conversions a clock that a fully connected layer is left with."""


def least_power_w(
    network: CrossbarNetwork, components: Components, rules: Rules, *, identical: bool = False
) -> float | None:
    """Return a power budget for which a design is known, rounded up; None: there is none at all.

    It is that of the cheapest combination of the outer loop with a macro for each layer.
    """
    best = math.inf
    every = floors(network, components, rules, identical=identical)
    for floor, tables in sorted(every, key=lambda pair: pair[0]):
        if floor < best:
            best = min(best, least_at(tables, floor, best))
    return best if best < math.inf else None


def nothing_below_w(network: CrossbarNetwork, components: Components, rules: Rules) -> float:
    """Return watts that every design needs: of one copy of the weights, all layers in pairs."""
    least = math.inf
    for floor, tables in floors(network, components, rules):
        spared = np.count_nonzero(tables.crossbars) // 2 * memory_peak(tables, 0)
        if not tables.rules.whole_parts:
            spared /= 1 - float(tables.scalars[RATIO])
        least = min(least, floor - spared)
    return least


def floors(
    network: CrossbarNetwork, components: Components, rules: Rules, *, identical: bool = False
) -> Iterator[tuple[float, Tables]]:
    """Yield `floor_w` of the smallest design of each combination, with its arrays."""
    for point in points(components, rules):
        tables = make_tables(network, components, point, 1.0, rules, identical=identical)
        yield floor_w(tables), tables


def least_at(tables: Tables, floor: float, most: float) -> float:
    """Return the least budget of the smallest design of one combination; inf: above `most`."""
    design = smallest(tables)
    power = round_up(floor)
    for _ in range(TRIES):
        if power >= most:
            break
        tables.scalars[POWER] = power
        # Without conflicts, in a part of the time, scratchpads may be smaller, never larger.
        if all(is_within(evaluate(tables, design, exact), power) for exact in (False, True)):
            return power
        power = round_up(power * GROWTH)
    return math.inf


def is_within(cost: Cost, power_w: float) -> bool:
    """Return whether a design can be built with so much power."""
    return bool(cost.failure == FEASIBLE and cost.converged and cost.peak_w <= power_w)


def smallest(tables: Tables) -> Design:
    """Return one copy and one macro of everything; fully connected layers take their time."""
    ones = np.ones(len(tables.kind), np.int64)
    clocks = ones.copy()
    if tables.rules.used_columns:
        slow = np.ceil(tables.work[:, ADC] / FEWEST_CONVERSIONS).astype(np.int64)
        clocks = np.where(tables.kind == FC, np.maximum(1, slow), 1)
    macros = np.where(tables.crossbars > 0, ones, 0)
    return Design(ones, macros, np.full(len(ones), -1), clocks)


def floor_w(tables: Tables) -> float:
    """Return what crossbars, DACs and scratchpads of one copy and one macro of each layer need."""
    rram = float(tables.crossbars.sum() * tables.crossbar[PEAK])
    drivers = float(tables.work[:, DAC].sum() * tables.parts[DAC, PEAK])
    macros = int(np.count_nonzero(tables.crossbars))
    taken = macros * memory_peak(tables, 0) + float(tables.scalars[NOC_POWER])
    if tables.rules.whole_parts:
        return rram + drivers + taken
    ratio = float(tables.scalars[RATIO])
    return max(rram / ratio, (drivers + taken) / (1 - ratio))


def round_up(power: float) -> float:
    """Return a number of few digits that is not below."""
    unit = 10.0 ** (math.floor(math.log10(power)) - DIGITS + 1)
    return float(f"{math.ceil(power / unit) * unit:.{DIGITS}g}")
