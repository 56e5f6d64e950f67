"""Search of one point of the design space: copies, macros, sharing and clocks together.

Threshold accepting: a change is kept if it makes the design worse by less than a threshold that
falls in equal ratios. It needs no exponential, so every machine takes the same path.
"""

from collections import Counter

import numpy as np

from hwgen.crossbar.model.allocate import FEASIBLE
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.tables import Tables
from hwgen.crossbar.synthesis.judge import fits, judge, verdict
from hwgen.crossbar.synthesis.moves import begin_drawing, change_near, copy_design

HOT, COLD = 0.003, 0.00001
"""Threshold at the beginning and at the end, as a share of the energy."""

FINALISTS = 4
"""Designs that one run hands on: conflicts, which only the exact simulation sees, differ by more
than the last steps of a search gain.
"""


def empty_design(layers: int) -> Design:
    """Return a design with one copy and one macro of everything."""
    ones = np.ones(layers, np.int64)
    return Design(ones.copy(), ones.copy(), np.full(layers, -1), ones.copy())


def anneal(
    tables: Tables,
    start: Design,
    memory: int,
    evaluations: int,
    seed: int,
    sharing: bool,
    hot: float,
    refused: Counter[int],
) -> list[Design]:
    """Return the best designs found with so many evaluations, the best first.

    If nothing fits, it is the first one that there was. refused: counts verdicts, see `judge`
    """
    begin_drawing(seed)
    layers = len(tables.kind)
    weighted = np.flatnonzero(tables.crossbars > 0)
    now, trial = empty_design(layers), empty_design(layers)
    best = [empty_design(layers) for _ in range(FINALISTS)]
    copy_design(start, now)
    copy_design(start, best[0])
    cost, height_now = judge(tables, now, memory, np.inf)
    best_efficiency = cost.efficiency if fits(tables, cost) else 0.0
    refused[verdict(tables, cost)] += 1
    improved = 0
    ratio = (COLD / hot) ** (1.0 / max(1, evaluations))
    threshold = hot
    for _ in range(1, evaluations):
        threshold *= ratio
        change_near(tables, now, trial, weighted, threshold / HOT, sharing)
        limit = height_now * (1 + threshold)
        cost, height_trial = judge(tables, trial, memory, limit)
        found = verdict(tables, cost)
        refused[found] += 1
        if height_trial <= limit:
            copy_design(trial, now)
            height_now = height_trial
            if found == FEASIBLE and cost.efficiency > best_efficiency:
                best_efficiency = cost.efficiency
                improved += 1
                copy_design(trial, best[improved % FINALISTS])
    return [best[n % FINALISTS] for n in range(improved, max(-1, improved - FINALISTS), -1)]
