"""Which choices of a box may still be worth something, in it and in all boxes in it.

At the prices of a relaxed problem every choice costs something beyond what its layer pays. A design
that makes the choice costs that much more than the bound. If that is above the target, neither this
box nor any part of it has to look at the choice again.
"""

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.tables import Bools, Floats, Ints
from hwgen.crossbar.synthesis.choices import Choices
from hwgen.crossbar.synthesis.pricing import Prices
from hwgen.crossbar.synthesis.ranges import (
    CLOCKS_HIGH,
    CLOCKS_LOW,
    COPIES_HIGH,
    COPIES_LOW,
    FOREVER,
    MACROS_HIGH,
)


@compiled
def useful(choices: Choices, prices: Prices, paid: Floats, spare: float) -> Bools:
    """Return which choices cost no more than `spare` beyond what is paid, alone or in a pair.

    A pair converts with the ADCs of the one that needs more, and has the macros of the one with
    more: it saves at most what the one converts, and at most what the other does.

    paid: for each layer; spare: what the bound leaves to the target
    """
    layers = len(choices.begin) - 1
    macros = prices.macro * choices.macros
    cost = prices.choice - prices.spared - macros
    saved = prices.conversion * choices.converted
    least, spending = np.full(layers, np.inf), np.full(layers, np.inf)
    for i in range(layers):
        for c in range(choices.begin[i], choices.begin[i + 1]):
            least[i] = min(least[i], cost[c])
            spending[i] = min(spending[i], cost[c] - saved[c])
    kept = np.zeros(len(cost), np.bool_)
    for i in range(layers):
        whole, part = np.inf, np.inf
        for j in range(layers):
            if j != i:
                beside = prices.pair[i, j] - paid[j]
                whole, part = min(whole, least[j] + beside), min(part, spending[j] + beside)
        for c in range(choices.begin[i], choices.begin[i + 1]):
            paired = max(cost[c] - saved[c] + whole, cost[c] + part) + macros[c]
            kept[c] = min(prices.choice[c], paired) - paid[i] <= spare
    return kept


@compiled
def ranges_of(choices: Choices, kept: Bools, known: Ints) -> Ints:
    """Return the ranges of those choices that are kept, within ranges that are known.

    A choice stands for all macros, and all clocks, up to those of the next one.
    """
    ranges = known.copy()
    for i in range(known.shape[1]):
        begin, end = choices.begin[i], choices.begin[i + 1]
        if begin == end:
            continue
        ranges[:, i] = (FOREVER, 0, 0, FOREVER, 0)
        macros, clocks = FOREVER, FOREVER
        for c in range(end - 1, begin - 1, -1):
            alike = c + 1 < end and choices.copies_low[c] == choices.copies_low[c + 1]
            if alike and choices.clocks[c] == choices.clocks[c + 1]:
                macros = choices.macros[c + 1] - 1
            else:
                macros = FOREVER
                clocks = choices.clocks[c + 1] - 1 if alike else FOREVER
            if kept[c]:
                ranges[COPIES_LOW, i] = min(ranges[COPIES_LOW, i], choices.copies_low[c])
                ranges[COPIES_HIGH, i] = max(ranges[COPIES_HIGH, i], choices.copies_high[c])
                ranges[MACROS_HIGH, i] = max(ranges[MACROS_HIGH, i], macros)
                ranges[CLOCKS_LOW, i] = min(ranges[CLOCKS_LOW, i], choices.clocks[c])
                ranges[CLOCKS_HIGH, i] = max(ranges[CLOCKS_HIGH, i], clocks)
    for row in (MACROS_HIGH, CLOCKS_HIGH):
        ranges[row] = np.minimum(ranges[row], known[row])
    return ranges
