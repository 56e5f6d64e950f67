"""Designs that follow from a network at once, with nothing shared: somewhere to begin."""

import numpy as np

from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.tables import ADC, CONV, FC, PEAK, POWER, Ints, Tables
from hwgen.crossbar.synthesis.anneal import empty_design

SHARES = (0.5, 0.35, 0.2, 0.1)
"""Shares of the budget that crossbars take, the most efficient designs first."""


def simple_design(tables: Tables, share: float) -> Design:
    """Return copies in proportion to pixels, crossbars taking about `share` of the budget.

    Every layer has a single macro; fully connected layers take so many clocks that none converts
    more in one of them than the busiest convolution.
    """
    design = empty_design(len(tables.kind))
    allowed = share * tables.scalars[POWER] / tables.crossbar[PEAK]
    low, high = 1, int(tables.pixels.max())
    while low < high:
        blocks = (low + high) // 2
        if (copies_for(tables, blocks) * tables.crossbars).sum() <= allowed:
            high = blocks
        else:
            low = blocks + 1
    design.copies[:] = copies_for(tables, low)
    design.macros[tables.crossbars == 0] = 0
    busiest = max(1.0, (tables.work[:, ADC] * design.copies)[tables.kind == CONV].max(initial=0))
    if tables.rules.used_columns:
        clocks = np.ceil(tables.work[:, ADC] / busiest).astype(np.int64)
        design.clocks[:] = np.where(tables.kind == FC, np.maximum(1, clocks), 1)
    return design


def copies_for(tables: Tables, blocks: int) -> Ints:
    """Return the copies with which every convolution takes at most so many blocks."""
    return np.where(tables.kind == CONV, -(-tables.pixels // blocks), 1)
