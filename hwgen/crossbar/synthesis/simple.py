"""Designs that follow from a network at once, with nothing shared: somewhere to begin."""

import numpy as np

from hwgen.crossbar.model.design import Design, most_copies_for
from hwgen.crossbar.model.tables import ADC, CONV, FC, PEAK, POWER, Tables
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
    design.copies[:] = most_copies_for(
        tables, lambda copies: bool((copies * tables.crossbars).sum() <= allowed)
    )
    design.macros[tables.crossbars == 0] = 0
    busiest = max(1.0, (tables.work[:, ADC] * design.copies)[tables.kind == CONV].max(initial=0))
    if tables.rules.used_columns:
        clocks = np.ceil(tables.work[:, ADC] / busiest).astype(np.int64)
        design.clocks[:] = np.where(tables.kind == FC, np.maximum(1, clocks), 1)
    return design
