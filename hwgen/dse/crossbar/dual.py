"""The least energy of a box, by weak duality: any multipliers give a valid bound.

Energy is what does not depend on time plus static power times time; crossbars, power and the paths
of `cuts` are limited. With a multiplier on each limit, the layers fall apart: each takes the choice
that is cheapest for it. Subgradient steps towards a target raise the bound.
"""

from typing import NamedTuple

import numpy as np

from hwgen.dse.crossbar.choices import Box, Choices, fixed_costs
from hwgen.dse.crossbar.cuts import Cut
from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import ceil_div
from hwgen.model.crossbar.tables import NOC_POWER, POWER, RATIO, Floats, Ints, Tables

TURNS = 80
CRAWL = 0.5


class Limits(NamedTuple):
    """The limited quantities of all choices, each as a share of its limit.

    use: (choices, limits); fixed: what is used whatever is chosen
    """

    use: Floats
    fixed: Floats


class Bound(NamedTuple):
    """The best bound found, in nJ, with the multipliers and the choices that gave it."""

    energy: float
    multipliers: Floats
    chosen: Ints


@compiled
def path_lengths(
    tables: Tables, choices: Choices, cut: Cut, steps: float, use: Floats, row: int
) -> None:
    """Write the share of the steps that each choice spends on a path."""
    for i in range(len(tables.kind)):
        for c in range(choices.begin[i], choices.begin[i + 1]):
            if cut.leave[i] == 0:
                continue
            low, high = choices.copies_low[c], choices.copies_high[c]
            if low == high:
                blocks = ceil_div(cut.leave[i], low) - ceil_div(cut.enter[i], low)
            else:
                blocks = (cut.leave[i] - cut.enter[i]) // high
            use[c, row] = (blocks * choices.per_block[c] + choices.through[c]) / steps


@compiled
def make_limits(tables: Tables, box: Box, choices: Choices, cuts: list[Cut]) -> Limits:
    """Return crossbars (published rules), power and paths as shares of what a box allows."""
    count = len(choices.copies_low)
    use = np.zeros((count, 2 + len(cuts)))
    fixed = np.zeros(2 + len(cuts))
    power = tables.scalars[POWER]
    if not tables.strict:
        use[:, 0] = choices.crossbars / (power * tables.scalars[RATIO])
    use[:, 1] = choices.power / power
    fixed[1] = tables.scalars[NOC_POWER] / power
    for n in range(len(cuts)):
        path_lengths(tables, choices, cuts[n], box.steps_high, use, 2 + n)
        fixed[2 + n] = cuts[n].fixed / box.steps_high
    return Limits(use, fixed)


@compiled
def cheapest(begin: Ints, base: Floats, limits: Limits, multipliers: Floats, chosen: Ints) -> float:
    """Choose for each layer what is cheapest with these multipliers; return the sum."""
    total = 0.0
    rows = len(multipliers)
    for i in range(len(begin) - 1):
        chosen[i] = -1
        least = np.inf
        for c in range(begin[i], begin[i + 1]):
            price = base[c]
            for row in range(rows):
                price += multipliers[row] * limits.use[c, row]
            if price < least:
                least = price
                chosen[i] = c
        if chosen[i] >= 0:
            total += least
    return total


@compiled
def raise_bound(
    tables: Tables, box: Box, choices: Choices, limits: Limits, start: Floats, target: float
) -> Bound:
    """Return the best bound of a box after some subgradient steps from `start`.

    Stops when the bound reaches `target` nJ: such a box holds nothing of interest.
    """
    layers = len(tables.kind)
    for i in range(layers):
        if tables.crossbars[i] > 0 and choices.begin[i] == choices.begin[i + 1]:
            return Bound(np.inf, start.copy(), np.full(layers, -1))
    time = box.steps_low * box.step_low
    energy, static = fixed_costs(tables, box)
    base = choices.energy + choices.static * time
    multipliers = start.copy()
    best = Bound(-np.inf, start.copy(), np.full(layers, -1))
    chosen = np.full(layers, -1)
    slope = np.empty(len(start))
    reach = 1.0
    stuck = 0
    for _ in range(TURNS):
        value = energy + static * time + cheapest(choices.begin, base, limits, multipliers, chosen)
        for row in range(len(slope)):
            used = limits.fixed[row]
            for i in range(layers):
                if chosen[i] >= 0:
                    used += limits.use[chosen[i], row]
            slope[row] = used - 1.0
            value += multipliers[row] * (limits.fixed[row] - 1.0)
        if value > best.energy:
            best = Bound(value, multipliers.copy(), chosen.copy())
            stuck = 0
        else:
            stuck += 1
            if stuck >= 4:
                reach *= CRAWL
                stuck = 0
                multipliers[:] = best.multipliers
                continue
        if best.energy >= target:
            break
        norm = 0.0
        for row in range(len(slope)):
            if slope[row] > 0 or multipliers[row] > 0:
                norm += slope[row] ** 2
        if norm == 0.0:
            break
        step = reach * (target - value) / norm
        for row in range(len(slope)):
            multipliers[row] = max(0.0, multipliers[row] + step * slope[row])
    return best
