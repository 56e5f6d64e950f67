"""The cheapest choices at given prices: of a layer alone, and of two layers that share macros.

A pair has the macros of the choice with more of them, converts with the ADCs of the one that needs
more, and both take turns there: together they are busy for no longer than the image lasts. All of
this is exact for every two choices, and still found in one pass: a layer's choices in the order of
their copies convert more and are busy for less, so the partner that is good enough is the cheapest
of a suffix.
"""

from typing import NamedTuple

import numpy as np

from hwgen.dse.crossbar.choices import Box, Choices
from hwgen.dse.crossbar.pairs import Turns, busy_steps, windows
from hwgen.model.compiled import compiled
from hwgen.model.crossbar.tables import Floats, Ints, Tables


class Groups(NamedTuple):
    """Choices that differ in macros alone, in the order of more conversions and less to do.

    begin: where the groups of layer i begin; as long as the layers, plus one
    of: the group of each choice
    converted: conversions in a bit step; busy: steps at the ADCs
    macros: all numbers of macros that there are, ascending
    window: [i, j] steps that two layers have at common ADCs
    """

    begin: Ints
    of: Ints
    converted: Floats
    busy: Ints
    macros: Ints
    window: Ints


class Prices(NamedTuple):
    """What limits and time charge.

    choice: of each choice, as long as its layer is alone
    spared: saved by each choice whose layer lives in a single macro with its provider
    conversion, macro: saved for each that two layers have in common
    """

    choice: Floats
    spared: Floats
    conversion: float
    macro: float


class Cheapest(NamedTuple):
    """Least price of each layer alone, [i, i], and of each pair, [i, j] with i < j.

    first, second: the choices of layer i and layer j; -1 where there are none
    """

    price: Floats
    first: Ints
    second: Ints


@compiled
def make_groups(tables: Tables, choices: Choices, turns: Turns, box: Box) -> Groups:
    """Return the groups of all choices."""
    layers = len(tables.kind)
    busy = busy_steps(tables, choices)
    begin = np.zeros(layers + 1, np.int64)
    of = np.zeros(len(busy), np.int64)
    converted, steps = np.zeros(len(busy)), np.zeros(len(busy), np.int64)
    n = 0
    for i in range(layers):
        begin[i] = n
        first, end = choices.begin[i], choices.begin[i + 1]
        order = np.arange(first, end)
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
    return Groups(begin, of, converted[:n], steps[:n], np.unique(choices.macros), windows(turns, box))


@compiled
def suffix_least(
    choices: Choices, groups: Groups, costs: Floats, i: int, most: int, least: Floats, which: Ints
) -> None:
    """Write for each group of layer i its cheapest choice with at most so many macros.

    least, which: [0] of the group, [1] of it and all later ones; of what does not depend on the
        pair
    """
    first, end = groups.begin[i], groups.begin[i + 1]
    least[0, first:end] = np.inf
    which[0, first:end] = -1
    for c in range(choices.begin[i], choices.begin[i + 1]):
        g = groups.of[c]
        if choices.macros[c] <= most and costs[c] < least[0, g]:
            least[0, g], which[0, g] = costs[c], c
    best, at = np.inf, -1
    for g in range(end - 1, first - 1, -1):
        if least[0, g] < best:
            best, at = least[0, g], which[0, g]
        least[1, g], which[1, g] = best, at


@compiled
def match(
    groups: Groups,
    i: int,
    j: int,
    conversion: float,
    one: Floats,
    two: Floats,
) -> tuple[float, int, int]:
    """Return the price of the cheapest pair in which layer i converts no more than layer j.

    one: least price of the groups of layer i; two: of those of layer j and all later ones
    Returns the group of layer i, and the first of the groups of which layer j has its cheapest.
    """
    window = groups.window[i, j]
    begin, end = groups.begin[j], groups.begin[j + 1]
    enough, quick = begin, end
    best, at, partner = np.inf, -1, -1
    for g in range(groups.begin[i], groups.begin[i + 1]):
        while enough < end and groups.converted[enough] < groups.converted[g]:
            enough += 1
        while quick > begin and groups.busy[quick - 1] + groups.busy[g] <= window:
            quick -= 1
        h = max(enough, quick)
        if h >= end:
            continue
        price = one[g] - conversion * groups.converted[g] + two[h]
        if price < best:
            best, at, partner = price, g, h
    return best, at, partner


@compiled
def cheapest(choices: Choices, groups: Groups, turns: Turns, prices: Prices) -> Cheapest:
    """Return the cheapest choices of all layers and pairs."""
    layers = len(choices.begin) - 1
    price = np.full((layers, layers), np.inf)
    first, second = np.full((layers, layers), -1), np.full((layers, layers), -1)
    for i in range(layers):
        for c in range(choices.begin[i], choices.begin[i + 1]):
            if prices.choice[c] < price[i, i]:
                price[i, i], first[i, i] = prices.choice[c], c
    costs = prices.choice - prices.macro * choices.macros
    size = len(groups.busy)
    least, which = np.empty((2, 2, size)), np.empty((2, 2, size), np.int64)
    for most in groups.macros:
        for i in range(layers):
            suffix_least(choices, groups, costs, i, most, least[0], which[0])
            if most == 1:
                suffix_least(choices, groups, costs - prices.spared, i, most, least[1], which[1])
        shared = prices.macro * most
        for i in range(layers):
            for j in range(layers):
                if i == j or groups.begin[i] == groups.begin[i + 1]:
                    continue
                if groups.begin[j] == groups.begin[j + 1]:
                    continue
                a = 1 if most == 1 and turns.near[i, j] else 0
                b = 1 if most == 1 and turns.near[j, i] else 0
                found, g, h = match(groups, i, j, prices.conversion, least[a, 0], least[b, 1])
                low, high = min(i, j), max(i, j)
                if found + shared < price[low, high]:
                    price[low, high] = found + shared
                    one, two = which[a, 0, g], which[b, 1, h]
                    first[low, high] = one if i < j else two
                    second[low, high] = two if i < j else one
    return Cheapest(price, first, second)
