"""How often each layer's weights are held: the problem of Eq. 2, and two answers without a search.

Only convolutions are held more than once; fully connected layers get their one copy first.
"""

import math
from typing import Literal, NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.tables import ADC, CONV, FC, PEAK, POWER, Floats, Ints, Tables

Variant = Literal["text", "code"]
"""The published search as the paper's text says it, or as the published code does it."""


class CopiesProblem(NamedTuple):
    """Eq. 2 for the convolutions of a network, in their order; all arrays are over them.

    layer: place in the network
    sets: crossbars of one copy of the weights (Eq. 1)
    pixels: WoHo, output positions
    volume: elements that one copy reads and writes for a position (Eq. 4), WkWkCi + Co
    budget: crossbars, those of fully connected layers taken off; negative: not even those fit
    below, above: how far the crossbars in use may be from the budget
    """

    layer: Ints
    sets: Ints
    pixels: Ints
    volume: Floats
    budget: int
    below: float
    above: float


def copies_problem(
    tables: Tables, ratio: float, variant: Variant, *, audited: bool
) -> CopiesProblem:
    """Return the problem at one RatioRram (Eq. 3).

    text: at most the budget is used, as Eq. 2 says.
    code: up to a mean set more or less than the budget is used (shared sheet, section 3).
    audited: so many crossbars are left out that the whole chip keeps to the power budget
    """
    layer = np.flatnonzero(tables.kind == CONV)
    sets = tables.crossbars[layer]
    slack = window_of(tables, variant)
    spare = reserve_w(tables, variant) if audited else 0.0
    crossbars = math.floor((tables.scalars[POWER] * ratio - spare) / tables.crossbar[PEAK])
    return CopiesProblem(
        layer=layer,
        sets=sets,
        pixels=tables.pixels[layer],
        volume=(tables.rows[layer] + tables.cout[layer]).astype(float),
        budget=crossbars - int(tables.crossbars[tables.kind == FC].sum()),
        below=slack if variant == "code" else math.inf,
        above=slack,
    )


def window_of(tables: Tables, variant: Variant) -> float:
    """Return how many crossbars the variant may be off the budget; code: those of a mean set."""
    sets = tables.crossbars[tables.kind == CONV]
    return float(sets.mean()) if len(sets) and variant == "code" else 0.0


def reserve_w(tables: Tables, variant: Variant) -> float:
    """Return the power that crossbars must leave for the whole chip to keep to its budget.

    Strict rules need none: they round before they look at the budget.
    """
    if tables.rules.whole_parts:
        return 0.0
    return rounding_w(tables) + window_of(tables, variant) * float(tables.crossbar[PEAK])


def rounding_w(tables: Tables) -> float:
    """Return the most that rounding up the counts of components adds, in W.

    Eq. 6 spends the whole budget of the components, and each count may then grow by almost one.
    """
    bought = tables.work[:, ADC:] > 0
    return float((bought * tables.parts[ADC:, PEAK]).sum())


def holds_weights(problem: CopiesProblem, variant: Variant) -> bool:
    """Return whether one copy of all weights fits; the code wants a crossbar to be left over."""
    least = int(problem.sets.sum())
    if variant == "code" and len(problem.sets):
        return least < problem.budget
    return least <= problem.budget


@compiled
def used_by(problem: CopiesProblem, copies: Ints) -> int:
    """Return the crossbars in use."""
    used = 0
    for i in range(len(copies)):
        used += copies[i] * problem.sets[i]
    return used


def single(problem: CopiesProblem) -> Ints:
    """Return one copy for each layer: no duplication at all (seed 003, Fig. 7)."""
    return np.ones(len(problem.sets), dtype=np.int64)


def proportional(problem: CopiesProblem) -> Ints:
    """Return copies in proportion to WoHo, the heuristic of ISAAC and PipeLayer (Fig. 7).

    Each layer's share of the crossbars goes by WoHo * set, so its copies go by WoHo; rounding up
    takes too many, and the layers lose one copy in turn until what is left is near the budget.
    """
    weight = problem.sets * problem.pixels
    total = max(1, int(weight.sum()))
    shares = -(-problem.budget * weight // (total * problem.sets))
    copies: Ints = np.minimum(np.maximum(shares, 1), problem.pixels)
    over = used_by(problem, copies) - problem.budget
    while over > problem.above and (copies > 1).any():
        for i in np.flatnonzero(copies > 1):
            if over > problem.above:
                copies[i] -= 1
                over -= int(problem.sets[i])
    return copies
