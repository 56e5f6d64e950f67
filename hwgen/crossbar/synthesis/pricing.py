"""The cheapest choices at given prices: of a layer alone, and of two layers that share macros.

A pair has the macros of the choice with more of them, converts with the ADCs of the one that needs
more, and both take turns there: together they are busy for no longer than the image lasts. All of
this is exact for every two choices, and still found in one pass: a layer's choices in the order of
their copies convert more and are busy for less, so the partner that is good enough is the cheapest
of a suffix.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.tables import (
    ADC,
    LEAKAGE,
    PEAK,
    RATE,
    STATIC,
    Bools,
    Floats,
    Grid,
    IntGrid,
    Ints,
    Tables,
)
from hwgen.crossbar.synthesis.choices import Choices
from hwgen.crossbar.synthesis.nodes import Node, least_scratchpad, scratchpad_peak, static_share
from hwgen.crossbar.synthesis.paths import needs_all, passing

NOWHERE = -1
"""Tail of a layer whose last block nobody waits for."""


@opaque
class Turns(NamedTuple):
    """Who may take turns at common ADCs, and when.

    head, tail: least steps before the first and after the last conversion of a layer
    near: [i, j] is 1 if layer i reads layer j or is read by it, at once or through layers without
        weights: in a single macro with it, less need travel
    """

    head: Ints
    tail: Ints
    near: IntGrid


class Savings(NamedTuple):
    """Peak W and static W that sharing saves: of a conversion in each step, and of a macro."""

    conversion_peak: float
    conversion_static: float
    macro_peak: float
    macro_static: float


@compiled
def savings_of(tables: Tables, node: Node) -> Savings:
    """Return what sharing saves."""
    share = static_share(tables)
    part = tables.parts[ADC]
    count = 1 / (part[RATE] * node.step_high)
    return Savings(
        count * part[PEAK],
        count * max(0.0, part[STATIC] - share * part[PEAK]),
        scratchpad_peak(tables, node),
        least_scratchpad(tables, node)[LEAKAGE] * (1 - share),
    )


@compiled
def neighbours(tables: Tables) -> Ints:
    """Return `Turns.near`."""
    count = len(tables.kind)
    reads = np.zeros((count, count), np.int64)
    for i in range(count):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            if tables.crossbars[p] > 0:
                reads[i, p] = 1
            else:
                reads[i] = np.maximum(reads[i], reads[p])
    near = np.zeros((count, count), np.int64)
    for i in range(count):
        if tables.crossbars[i] > 0:
            near[i] = np.maximum(near[i], reads[i])
            near[:, i] = np.maximum(near[:, i], reads[i])
    return near


@compiled
def make_turns(tables: Tables, choices: Choices) -> Turns:
    """Return the least ways to and from the ADCs of each layer, and who is next to whom."""
    count = len(tables.kind)
    through = np.array([passing(tables, i) for i in range(count)])
    head, tail = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for i in range(count):
        begin, end = choices.begin[i], choices.begin[i + 1]
        if begin < end:
            through[i] = choices.near_through[begin:end].min()
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            head[i] = max(head[i], head[p] + through[p])
    for i in range(count - 1, -1, -1):
        if tables.reader_start[i] < tables.reader_start[i + 1]:
            tail[i] = NOWHERE
        for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
            r = tables.reader[e]
            if tail[r] > NOWHERE and needs_all(tables, r, i):
                tail[i] = max(tail[i], tail[r] + through[r])
    return Turns(head, np.maximum(tail, 0), neighbours(tables))


@compiled
def busy_steps(tables: Tables, choices: Choices) -> Ints:
    """Return the steps for which each choice takes its ADCs."""
    return tables.bit_steps * choices.blocks * choices.clocks


@compiled
def windows(turns: Turns, node: Node) -> Ints:
    """Return the steps in which each pair [i, j] may use common ADCs."""
    count = len(turns.head)
    steps = np.zeros((count, count), np.int64)
    for i in range(count):
        for j in range(count):
            lost = min(turns.head[i], turns.head[j]) + min(turns.tail[i], turns.tail[j])
            steps[i, j] = int(node.steps_high) - lost
    return steps


@opaque
class Groups(NamedTuple):
    """Choices that differ in macros alone, in the order of more conversions and less to do.

    begin: where the groups of layer i begin; as long as the layers, plus one
    of, layer: the group and the layer of each choice
    converted: conversions in a bit step; busy: steps at the ADCs
    macros: all numbers of macros that there are, ascending
    order: choices in that order, layer after layer; those with the n-th number begin at first[n]
    window: [i, j] steps that two layers have at common ADCs
    """

    begin: Ints
    of: Ints
    layer: Ints
    converted: Floats
    busy: Ints
    macros: Ints
    order: Ints
    first: Ints
    window: IntGrid


@opaque
class Prices(NamedTuple):
    """What limits and time charge.

    choice: of each choice, as long as its layer is alone
    spared: saved by each choice whose layer lives in a single macro with its provider
    conversion, macro: saved for each that two layers have in common
    pair, turn: [i, j] of each pair, and of each step for which it is busy at its ADCs
    """

    choice: Floats
    spared: Floats
    conversion: float
    macro: float
    pair: Grid
    turn: Grid


class Cheapest(NamedTuple):
    """Least price of each layer alone, [i, i], and of each pair, [i, j] with i < j.

    first, second: the choices of layer i and layer j; -1 where there are none
    """

    price: Floats
    first: Ints
    second: Ints


@opaque
class Shelf(NamedTuple):
    """Prices of groups while `cheapest` goes through numbers of macros.

    least, which: least price of each group, and its choice; [1] for those near their provider
    later: see `suffixes`; least_of: least price of each layer, spending_of: less all that it
        converts
    priced, after: the same of both layers of one pair, what turns cost included
    """

    least: Grid
    which: IntGrid
    later: IntGrid
    least_of: Grid
    spending_of: Grid
    priced: Grid
    after: Ints


@compiled
def make_groups(tables: Tables, choices: Choices, turns: Turns, node: Node) -> Groups:
    """Return the groups of all choices."""
    layers = len(tables.kind)
    busy = busy_steps(tables, choices)
    begin = np.zeros(layers + 1, np.int64)
    of = np.zeros(len(busy), np.int64)
    layer = np.zeros(len(busy), np.int64)
    converted, steps = np.zeros(len(busy)), np.zeros(len(busy), np.int64)
    n = 0
    for i in range(layers):
        begin[i] = n
        first, end = choices.begin[i], choices.begin[i + 1]
        order = np.arange(first, end)
        layer[first:end] = i
        if end > first and busy[first] < busy[end - 1]:
            # Clocks of a fully connected layer ascend: the slowest one comes first.
            order = order[::-1].copy()
        for k in range(len(order)):
            c = order[k]
            last = order[k - 1]
            if (
                k > 0
                and choices.copies_low[c] == choices.copies_low[last]
                and choices.clocks[c] == choices.clocks[last]
            ):
                of[c] = n - 1
                continue
            of[c] = n
            converted[n], steps[n] = choices.converted[c], busy[c]
            n += 1
    begin[layers] = n
    macros = np.unique(choices.macros)
    order = np.argsort(choices.macros, kind="mergesort")
    first = np.append(np.searchsorted(choices.macros[order], macros), len(order))
    return Groups(
        begin,
        of,
        layer,
        converted[:n],
        steps[:n],
        macros,
        order,
        first,
        windows(turns, node),
    )


@compiled
def lower(
    groups: Groups, costs: Floats, n: int, least: Floats, which: Ints, lowered: Bools
) -> None:
    """Lower the least price of each group to those of choices with the n-th number of macros."""
    for k in range(groups.first[n], groups.first[n + 1]):
        c = groups.order[k]
        g = groups.of[c]
        if costs[c] < least[g]:
            least[g], which[g] = costs[c], c
            lowered[groups.layer[c]] = True


@compiled
def suffixes(least: Floats, begin: int, end: int, later: Ints) -> None:
    """Write for each of some groups the cheapest from it on; -1: there is none."""
    best, at = np.inf, -1
    for g in range(end - 1, begin - 1, -1):
        if least[g] < best:
            best, at = least[g], g
        later[g] = at


@compiled
def match(
    converted: Floats,
    busy: Ints,
    own: Ints,
    other: Ints,
    window: int,
    conversion: float,
    one: Floats,
    two: Floats,
    later: Ints,
) -> tuple[float, int, int]:
    """Return the price and the groups of the cheapest pair of which the first converts no more.

    own, other: where the groups of its layers begin and end; one, two: their prices
    later: see `suffixes`
    """
    begin, end = other[0], other[1]
    enough, quick = begin, end
    best, at, partner = np.inf, -1, -1
    for g in range(own[0], own[1]):
        while enough < end and converted[enough] < converted[g]:
            enough += 1
        while quick > begin and busy[quick - 1] + busy[g] <= window:
            quick -= 1
        h = max(enough, quick)
        if h >= end or later[h] < 0:
            continue
        price = one[g] - conversion * converted[g] + two[later[h]]
        if price < best:
            best, at, partner = price, g, later[h]
    return best, at, partner


@compiled
def alone(choices: Choices, costs: Floats, i: int) -> tuple[float, int]:
    """Return the price of the cheapest choice of a layer alone, and which it is."""
    best, at = np.inf, -1
    for c in range(choices.begin[i], choices.begin[i + 1]):
        if costs[c] < best:
            best, at = costs[c], c
    return best, at


@compiled
def cheapest(
    choices: Choices, groups: Groups, turns: Turns, prices: Prices, paid: Floats
) -> Cheapest:
    """Return the cheapest choices of all layers, and of all pairs that cost less than is paid.

    For each number of macros that a pair may have, every group has its cheapest choice with no more
    of them; only pairs in which that changed are looked at.

    paid: for each layer
    """
    layers = len(choices.begin) - 1
    price = np.full((layers, layers), np.inf)
    first, second = np.full((layers, layers), -1), np.full((layers, layers), -1)
    for i in range(layers):
        price[i, i], first[i, i] = alone(choices, prices.choice, i)
    costs = prices.choice - prices.macro * choices.macros
    size = len(groups.busy)
    shelf = Shelf(
        np.full((2, size), np.inf),
        np.full((2, size), -1),
        np.full((2, size), -1),
        np.full((2, layers), np.inf),
        np.full((2, layers), np.inf),
        np.empty((2, size)),
        np.empty(size, np.int64),
    )
    least, spending = shelf.least_of, shelf.spending_of
    beside, common = of_pairs(groups, prices)
    for n in range(len(groups.macros)):
        lowered = fill(groups, costs, prices, n, shelf)
        single = groups.macros[n] == 1
        shared = prices.macro * groups.macros[n]
        for i in range(layers):
            for j in range(layers):
                if i == j or not (lowered[i] or lowered[j]):
                    continue
                a = 1 if single and turns.near[i, j] else 0
                b = 1 if single and turns.near[j, i] else 0
                low, high = min(i, j), max(i, j)
                limit = min(paid[i] + paid[j], price[low, high]) - shared
                both = max(least[a, i] - prices.conversion * common[i, j], spending[a, i])
                if both + least[b, j] + beside[i, j] >= limit:
                    continue
                found, g, h = best_pair(groups, prices, shelf, (i, j), (a, b))
                if found + shared < price[low, high]:
                    price[low, high] = found + shared
                    c, d = shelf.which[a, g], shelf.which[b, h]
                    first[low, high] = c if i < j else d
                    second[low, high] = d if i < j else c
    return Cheapest(price, first, second)


@compiled
def of_pairs(groups: Groups, prices: Prices) -> tuple[Floats, Floats]:
    """Return what pairs [i, j] cost at least beside their choices, and convert at most together."""
    layers = len(groups.begin) - 1
    beside, common = np.zeros((layers, layers)), np.zeros((layers, layers))
    for i in range(layers):
        for j in range(layers):
            if groups.begin[i] < groups.begin[i + 1] and groups.begin[j] < groups.begin[j + 1]:
                one, two = groups.begin[i + 1] - 1, groups.begin[j + 1] - 1
                beside[i, j] = prices.turn[i, j] * (groups.busy[one] + groups.busy[two])
                beside[i, j] += prices.pair[i, j]
                common[i, j] = min(groups.converted[one], groups.converted[two])
    return beside, common


@compiled
def fill(groups: Groups, costs: Floats, prices: Prices, n: int, shelf: Shelf) -> Bools:
    """Bring all groups to the n-th number of macros; return the layers that this made cheaper."""
    layers = len(groups.begin) - 1
    lowered = np.zeros(layers, np.bool_)
    kinds = 2 if groups.macros[n] == 1 else 1
    for a in range(kinds):
        own = costs - prices.spared if a == 1 else costs
        least = shelf.least[a]
        lower(groups, own, n, least, shelf.which[a], lowered)
        for i in range(layers):
            begin, end = groups.begin[i], groups.begin[i + 1]
            if lowered[i]:
                suffixes(least, begin, end, shelf.later[a])
                shelf.least_of[a, i] = least[shelf.later[a, begin]]
                saved = prices.conversion * groups.converted[begin:end]
                shelf.spending_of[a, i] = (least[begin:end] - saved).min()
    return lowered


@compiled
def best_pair(
    groups: Groups, prices: Prices, shelf: Shelf, pair: tuple[int, int], near: tuple[int, int]
) -> tuple[float, int, int]:
    """Return the price of the cheapest pair of which the first converts no more, and its groups.

    near: 1 for the layer that lives with its provider in a single macro
    """
    i, j = pair
    own, other = groups.begin[i : i + 2], groups.begin[j : j + 2]
    one, two, later = shelf.least[near[0]], shelf.least[near[1]], shelf.later[near[1]]
    turn = prices.turn[i, j]
    if turn != 0.0:
        for g in range(own[0], own[1]):
            shelf.priced[0, g] = one[g] + turn * groups.busy[g]
        for g in range(other[0], other[1]):
            shelf.priced[1, g] = two[g] + turn * groups.busy[g]
        suffixes(shelf.priced[1], other[0], other[1], shelf.after)
        one, two, later = shelf.priced[0], shelf.priced[1], shelf.after
    found, g, h = match(
        groups.converted,
        groups.busy,
        own,
        other,
        groups.window[i, j],
        prices.conversion,
        one,
        two,
        later,
    )
    return found + prices.pair[i, j], g, h
