"""What no design can beat: boxes of the design space, split until their bounds are good enough."""

from typing import NamedTuple

import numpy as np

from hwgen.dse.crossbar.anneal import empty_design
from hwgen.dse.crossbar.choices import Box, Choices, Held, make_choices
from hwgen.dse.crossbar.cuts import Cut, critical_cut, least_needs
from hwgen.dse.crossbar.dual import make_limits, raise_bound
from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import Design, lay_out
from hwgen.model.crossbar.tables import Floats, Ints, Tables
from hwgen.model.crossbar.timing import closed_form, make_pipeline

ROUNDS = 4
MOST_CUTS = 24


class BoxBound(NamedTuple):
    """The bound of one box in nJ, the paths that it rests on, and a design that it points at."""

    energy: float
    cuts: list[Cut]
    multipliers: Floats
    design: Design


@compiled
def chosen_design(tables: Tables, choices: Choices, chosen: Ints) -> Design:
    """Return the design that takes the chosen copies, macros and clocks."""
    design = empty_design(len(tables.kind))
    for i in range(len(tables.kind)):
        if tables.crossbars[i] == 0 or chosen[i] < 0:
            design.macros[i] = 0 if tables.crossbars[i] == 0 else 1
            continue
        design.copies[i] = choices.copies_low[chosen[i]]
        limit = design.copies[i] * tables.row_tiles[i]
        design.macros[i] = min(limit, choices.macros[chosen[i]])
        design.clocks[i] = choices.clocks[chosen[i]]
    return design


@compiled
def bound_box(
    tables: Tables,
    held: Held,
    box: Box,
    cuts: list[Cut],
    multipliers: Floats,
    target: float,
) -> BoxBound:
    """Return the bound of a box; it begins with the paths and multipliers of the box around it."""
    choices = make_choices(tables, held, box)
    needs = least_needs(tables)
    own = cuts.copy()
    start = np.zeros(2 + len(own))
    start[: len(multipliers)] = multipliers
    energy = -np.inf
    design = empty_design(len(tables.kind))
    for turn in range(ROUNDS):
        limits = make_limits(tables, box, choices, own)
        bound = raise_bound(tables, box, choices, limits, start, target)
        energy = max(energy, bound.energy)
        start = bound.multipliers
        if bound.chosen.max() < 0:
            break
        design = chosen_design(tables, choices, bound.chosen)
        if energy >= target or turn + 1 == ROUNDS:
            break
        layout = lay_out(tables, design)
        pipeline = make_pipeline(tables, layout, design.clocks, box.memory, box.step_high)
        times = closed_form(tables, layout, pipeline)
        if times.end <= box.steps_high or len(own) >= MOST_CUTS:
            break
        own.append(critical_cut(tables, needs, layout, pipeline, times))
        longer = np.zeros(len(start) + 1)
        longer[: len(start)] = start
        start = longer
    return BoxBound(energy, own, start, design)
