"""How many watts would do: the least that some design with one copy of the weights needs."""

import math
from collections.abc import Iterator

import numpy as np

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.allocate import FEASIBLE, floor_of, memory_peak
from hwgen.crossbar.model.buffers import all_waiting, held_of, widest_window
from hwgen.crossbar.model.design import Design, lay_out
from hwgen.crossbar.model.evaluate import Cost, evaluate
from hwgen.crossbar.model.pipeline import make_pipeline
from hwgen.crossbar.model.tables import (
    ADC,
    DAC,
    DATA_BITS,
    FC,
    KILOBYTES,
    NOC_POWER,
    PEAK,
    POWER,
    RATIO,
    Floats,
    Tables,
    make_tables,
)
from hwgen.crossbar.model.timing import closed_form

GROWTH = 1.02
TRIES = 300
DIGITS = 3
"""Significant digits of an answer, rounded up."""

FEW_LAYERS = 6
"""Layers with weights that are paired in all ways: fifteen."""

FEWEST_CONVERSIONS = 1024
"""Conversions a clock that a fully connected layer is left with."""


def least_power_w(
    network: CrossbarNetwork, components: Components, rules: Rules, *, identical: bool = False
) -> float | None:
    """Return a power budget for which a design is known, rounded up; None: there is none at all.

    It is that of the cheapest of the smallest designs of all combinations of the outer loop.
    """
    best = math.inf
    every = floors(network, components, rules, identical=identical)
    for _, tables in sorted(every, key=lambda pair: pair[0]):
        if lowest_w(tables) < best:
            for design in smallest_designs(tables):
                best = min(best, least_at(tables, design, best))
    return best if best < math.inf else None


def nothing_below_w(network: CrossbarNetwork, components: Components, rules: Rules) -> float:
    """Return watts that every design needs: of one copy of the weights, as many pairs as fit."""
    return min(lowest_w(tables) for _, tables in floors(network, components, rules))


def floors(
    network: CrossbarNetwork, components: Components, rules: Rules, *, identical: bool = False
) -> Iterator[tuple[float, Tables]]:
    """Yield `floor_w` of the smallest design of each combination, with its arrays."""
    for point in points(components, rules):
        tables = make_tables(network, components, point, 1.0, rules, identical=identical)
        yield floor_w(tables), tables


def lowest_w(tables: Tables) -> float:
    """Return watts that every design of one combination needs.

    By strict rules each layer holds a window of its inputs at least, so small scratchpads have
    room for few pairs. More macros hold as much each, and cost more than a pair of two layers.
    """
    if not tables.rules.whole_parts:
        spared = np.count_nonzero(tables.crossbars) // 2 * memory_peak(tables, 0)
        return floor_w(tables) - spared / (1 - float(tables.scalars[RATIO]))
    held, least = windows(tables), math.inf
    for memory, room in enumerate(tables.memories[:, KILOBYTES]):
        if held.max() <= room:
            pairs = len(pairs_within(held, room))
            least = min(least, floor_w(tables, pairs=pairs, memory=memory))
    return least


def windows(tables: Tables) -> Floats:
    """Return the kilobytes that each layer with weights holds of its inputs at least, by layer."""
    kilobytes = float(tables.scalars[DATA_BITS]) / 8 / 1024
    held = []
    for i in np.flatnonzero(tables.crossbars):
        providers = tables.provider[tables.provider_start[i] : tables.provider_start[i + 1]]
        pixels = tables.pixels[providers]
        if tables.kind[i] != FC:
            widest = widest_window(tables, int(i), 1, int(tables.pixels[i]))
            pixels = np.minimum(pixels, widest)
        held.append(float(pixels @ tables.cout[providers]) * kilobytes)
    return np.array(held)


def pairs_within(held: Floats, room: float) -> list[tuple[int, int]]:
    """Return as many pairs of places as there can be that hold no more than `room` together."""
    order = [int(place) for place in np.argsort(held, kind="stable")]
    for count in range(len(order) // 2, 0, -1):
        pairs = [(order[n], order[2 * count - 1 - n]) for n in range(count)]
        if all(held[one] + held[two] <= room for one, two in pairs):
            return pairs
    return []


def least_at(tables: Tables, design: Design, most: float) -> float:
    """Return the least budget of a design with one copy, rounded up; inf: above `most`."""
    pairs = int(np.count_nonzero(design.partner >= 0)) // 2
    sizes = range(len(tables.memories) if tables.rules.whole_parts else 1)
    each = [floor_w(tables, pairs=pairs, memory=memory) for memory in sizes]
    power = round_up(each[0])
    for _ in range(TRIES):
        if power >= most:
            break
        tables.scalars[POWER] = power
        if can_be(tables, design):
            return power
        power = round_up(min([power * GROWTH] + [floor for floor in each if floor > power]))
    return math.inf


def can_be(tables: Tables, design: Design) -> bool:
    """Return whether a design can be built with the budget of the tables.

    Without conflicts, in a part of the time, scratchpads may be smaller, never larger.
    """
    power = float(tables.scalars[POWER])
    return all(is_within(evaluate(tables, design, exact), power) for exact in (False, True))


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


def smallest_designs(tables: Tables) -> Iterator[Design]:
    """Yield designs with one copy of everything: first `smallest`, then those with pairs.

    Pairs are made for scratchpads of each size, by what the macros of the first design hold; those
    of few layers in all ways. By published rules there are none.
    """
    design = smallest(tables)
    yield design
    if not tables.rules.whole_parts:
        return
    held, weighted = held_alone(tables, design), np.flatnonzero(tables.crossbars)
    ways = [pairs_within(held, room) for room in tables.memories[:, KILOBYTES]]
    if len(weighted) <= FEW_LAYERS:
        ways += all_pairs(list(range(len(weighted))))
    seen: list[list[list[int]]] = [[]]
    for way in ways:
        pairs = sorted(sorted(weighted[list(pair)]) for pair in way)
        if pairs not in seen:
            seen.append(pairs)
            yield with_pairs(design, pairs)


def all_pairs(places: list[int]) -> list[list[tuple[int, int]]]:
    """Return all ways to make as many pairs of some places as there can be."""
    if len(places) < 2:
        return [[]]
    first, *rest = places
    ways = all_pairs(rest) if len(places) % 2 else []
    for other in rest:
        left = [each for each in rest if each != other]
        ways += [[(first, other), *way] for way in all_pairs(left)]
    return ways


def held_alone(tables: Tables, design: Design) -> Floats:
    """Return the kilobytes that the macro of each layer holds, without conflicts."""
    layout = lay_out(tables, design)
    step_ns = floor_of(tables)
    pipeline = make_pipeline(tables, layout, design.clocks, 0, step_ns)
    waiting = all_waiting(tables, layout, closed_form(tables, layout, pipeline))
    return held_of(tables, layout, waiting)


def with_pairs(design: Design, pairs: list[list[int]]) -> Design:
    """Return a design with some layers, the first of each two before the second, in pairs."""
    macros, partner = design.macros.copy(), design.partner.copy()
    for one, two in pairs:
        partner[one], partner[two], macros[two] = two, one, 0
    return design._replace(macros=macros, partner=partner)


def floor_w(tables: Tables, *, pairs: int = 0, memory: int = 0) -> float:
    """Return what one copy needs with a macro for each layer, or for each of so many pairs.

    These are crossbars, DACs, scratchpads, and by strict rules one of each component that a layer
    uses; a pair has the ADC of one layer.
    """
    rram = float(tables.crossbars.sum() * tables.crossbar[PEAK])
    drivers = float(tables.work[:, DAC].sum() * tables.parts[DAC, PEAK])
    macros = int(np.count_nonzero(tables.crossbars)) - pairs
    taken = macros * memory_peak(tables, memory) + float(tables.scalars[NOC_POWER])
    if tables.rules.whole_parts:
        used = np.count_nonzero(tables.work[:, ADC:], axis=0)
        used[0] -= pairs
        return rram + drivers + taken + float(used @ tables.parts[ADC:, PEAK])
    ratio = float(tables.scalars[RATIO])
    return max(rram / ratio, (drivers + taken) / (1 - ratio))


def round_up(power: float) -> float:
    """Return a number of few digits that is not below."""
    unit = 10.0 ** (math.floor(math.log10(power)) - DIGITS + 1)
    return float(f"{math.ceil(power / unit) * unit:.{DIGITS}g}")
