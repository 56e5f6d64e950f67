"""How many designs there are: the size of the published design space (seed 003, Table I)."""

import math

import numpy as np

from hwgen.crossbar.model.tables import CONV, FC, PEAK, POWER, RATIO, Tables
from hwgen.crossbar.synthesis.published.method import Problem
from hwgen.crossbar.synthesis.published.search import crossbars_of


def decades(problem: Problem, *, macros: bool) -> float:
    """Return the common logarithm of the number of designs; -inf: there are none.

    A design is a point of the outer loop, the copies of each convolution (Eq. 2 and 3) and, if
    asked for, the macros of each layer with weights (section IV-C, rule c). Counts of components
    follow from these (Eq. 6), and pairs that share macros are not counted.
    """
    known: dict[object, float] = {}
    total = 0.0
    for point in problem.points():
        key = crossbars_of(point)
        if key not in known:
            known[key] = designs_at(problem.tables(point), macros=macros)
        total += known[key]
    return math.log10(total) if total else -math.inf


def designs_at(tables: Tables, *, macros: bool) -> float:
    """Return the choices of copies and macros whose crossbars a share of the budget holds."""
    scalars = tables.scalars
    budget = int(scalars[POWER] * scalars[RATIO] / tables.crossbar[PEAK])
    unit = int(np.gcd.reduce(tables.crossbars))
    alone = tables.kind == FC
    room = (budget - int(tables.crossbars[alone].sum())) // unit
    if room < 0:
        return 0.0
    most = tables.row_tiles if macros else np.ones_like(tables.row_tiles)
    ways = np.zeros(room + 1)  # by crossbars that are taken, in units
    ways[0] = float(np.prod(most[alone], dtype=float))
    for i in np.flatnonzero(tables.kind == CONV):
        size = int(tables.crossbars[i]) // unit
        more = np.zeros_like(ways)
        for copies in range(1, min(int(tables.pixels[i]), room // size) + 1):
            taken = copies * size
            choices = copies * most[i] if macros else 1
            more[taken:] += choices * ways[: len(ways) - taken]
        ways = more
    return float(ways.sum())
