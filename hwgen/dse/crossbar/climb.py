"""Local search: from a design that was confirmed, only to better ones, with conflicts of links."""

import numpy as np

from hwgen.dse.crossbar.anneal import empty_design
from hwgen.dse.crossbar.judge import fits, judge
from hwgen.dse.crossbar.moves import change, copy_design
from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import Design
from hwgen.model.crossbar.evaluate import evaluate
from hwgen.model.crossbar.tables import OPERATIONS, Tables

NARROWEST, WIDEST = 0.01, 0.25
"""Share of a number by which one change of it is at most off, drawn for each design."""

TWICE = 0.3
"""Share of the designs that are two changes away."""


@compiled
def climb(
    tables: Tables, start: Design, memory: int, evaluations: int, seed: int, sharing: bool
) -> tuple[Design, int]:
    """Return the best design found with so many evaluations, and how many of them were exact.

    start: a design that fits; memory: its scratchpads. What cannot be better without conflicts of
    links, with these scratchpads or the next smaller ones, is not simulated exactly.
    """
    np.random.seed(seed)
    weighted = np.flatnonzero(tables.crossbars > 0)
    best, trial = empty_design(len(tables.kind)), empty_design(len(tables.kind))
    copy_design(start, best)
    efficiency, exact = evaluate(tables, best, True).efficiency, 1
    for _ in range(1, evaluations):
        copy_design(best, trial)
        spread = NARROWEST + (WIDEST - NARROWEST) * np.random.random() ** 2
        change(tables, trial, weighted, spread, sharing)
        if np.random.random() < TWICE:
            change(tables, trial, weighted, spread, sharing)
        limit = tables.scalars[OPERATIONS] / efficiency
        size = max(0, memory - np.random.randint(0, 2))
        if judge(tables, trial, size, limit)[1] >= limit:
            continue
        cost = evaluate(tables, trial, True)
        exact += 1
        if fits(tables, cost) and cost.efficiency > efficiency:
            efficiency, memory = cost.efficiency, cost.memory
            copy_design(trial, best)
    return best, exact
