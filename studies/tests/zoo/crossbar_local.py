"""A plain local search: from a design, every single change in turn, as long as one is better.

It shares nothing with the moves of the search that it checks: a change is another number of copies
of one layer, another number of macros, another number of clocks, or another partner. Designs are
judged exactly.
"""

from collections.abc import Iterator

import numpy as np

from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.design import Design, most_macros
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.tables import CONV, FC, Tables
from hwgen.crossbar.synthesis.anneal import fits

STEPS = (-1, 1, -2, 2, -3, 3, -5, 5, -8, 8, -13, 13)
"""By how many a number changes; of copies, by how many different numbers of blocks."""


def copied(design: Design) -> Design:
    return Design(*(array.copy() for array in design))


def block_counts(pixels: int) -> list[int]:
    """The numbers of blocks that some number of copies gives, ascending."""
    return sorted({-(-pixels // copies) for copies in range(1, pixels + 1)})


def neighbours(tables: Tables, design: Design) -> Iterator[Design]:
    """Every design one change away; some are against the rules."""
    layers = [int(i) for i in np.flatnonzero(tables.crossbars > 0)]
    for i in layers:
        if tables.kind[i] == CONV:
            pixels = int(tables.pixels[i])
            counts = block_counts(pixels)
            at = counts.index(-(-pixels // int(design.copies[i])))
            for step in STEPS:
                if 0 <= at + step < len(counts):
                    other = copied(design)
                    other.copies[i] = -(-pixels // counts[at + step])
                    yield other
        for step in STEPS:
            if design.macros[i] > 0 and design.macros[i] + step > 0:
                other = copied(design)
                other.macros[i] += step
                yield other
            if tables.kind[i] == FC and tables.rules == STRICT and design.clocks[i] + step > 0:
                other = copied(design)
                other.clocks[i] += step
                yield other
    for place, i in enumerate(layers):
        for j in layers[place + 1 :]:
            yield paired(design, i, j)


def paired(design: Design, i: int, j: int) -> Design:
    """A design in which two layers share macros, or do not if they did; old partners stay alone."""
    other = copied(design)
    together = design.partner[i] == j
    for each in (i, j):
        partner = int(other.partner[each])
        if partner >= 0:
            first, second = min(each, partner), max(each, partner)
            other.partner[first] = other.partner[second] = -1
            other.macros[second] = other.macros[first]
    if not together:
        other.partner[i], other.partner[j] = j, i
        other.macros[i], other.macros[j] = max(other.macros[i], other.macros[j]), 0
    return other


def allowed(tables: Tables, design: Design) -> bool:
    """Whether each macro has a row tile of a copy at least."""
    for i in np.flatnonzero(tables.crossbars > 0):
        owner = design.partner[i] if 0 <= design.partner[i] < i else i
        if design.macros[owner] > most_macros(tables, int(design.copies[i]), int(i)):
            return False
    return True


def local_search(
    tables: Tables, start: Design, evaluations: int, seed: int
) -> tuple[float, float, int]:
    """Return the efficiency of a design, the best that was found from it, and the evaluations."""
    rng = np.random.default_rng(seed)
    best, spent = copied(start), 1
    first = efficiency = evaluate(tables, best, True).efficiency
    better = True
    while better and spent < evaluations:
        better = False
        around = [one for one in neighbours(tables, best) if allowed(tables, one)]
        for at in rng.permutation(len(around)):
            if spent >= evaluations:
                break
            cost = evaluate(tables, around[at], True)
            spent += 1
            if fits(tables, cost) and cost.efficiency > efficiency * (1 + 1e-12):
                best, efficiency, better = around[at], cost.efficiency, True
                break
    return first, efficiency, spent
