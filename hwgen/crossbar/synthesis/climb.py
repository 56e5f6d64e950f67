"""Local search: from a design that was confirmed, only to better ones, with conflicts of links."""

from collections import Counter

import numpy as np

from hwgen.crossbar.model.allocate import FEASIBLE
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.tables import OPERATIONS, Tables
from hwgen.crossbar.synthesis.anneal import empty_design
from hwgen.crossbar.synthesis.judge import ABOVE_LIMIT, judge, verdict
from hwgen.crossbar.synthesis.moves import begin_drawing, copy_design, look_around


def climb(
    tables: Tables,
    start: Design,
    memory: int,
    evaluations: int,
    seed: int,
    sharing: bool,
    refused: Counter[int],
) -> tuple[Design, int]:
    """Return the best design found with so many evaluations, and how many of them were exact.

    start: a design that fits; memory: its scratchpads. What cannot be better without conflicts of
    links, with these scratchpads or the next smaller ones, is not simulated exactly.
    refused: counts verdicts, see `judge`
    """
    begin_drawing(seed)
    weighted = np.flatnonzero(tables.crossbars > 0)
    best, trial = empty_design(len(tables.kind)), empty_design(len(tables.kind))
    copy_design(start, best)
    efficiency, exact = evaluate(tables, best, True).efficiency, 1
    for _ in range(1, evaluations):
        smaller = look_around(tables, best, trial, weighted, sharing)
        limit = tables.scalars[OPERATIONS] / efficiency
        size = max(0, memory - smaller)
        judged, height = judge(tables, trial, size, limit)
        if height >= limit:
            refused[verdict(tables, judged) or ABOVE_LIMIT] += 1
            continue
        cost = evaluate(tables, trial, True)
        exact += 1
        found = verdict(tables, cost)
        refused[found] += 1
        if found == FEASIBLE and cost.efficiency > efficiency:
            efficiency, memory = cost.efficiency, cost.memory
            copy_design(trial, best)
    return best, exact
