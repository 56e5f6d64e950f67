"""What no design can beat: boxes of the design space, split until their bounds are good enough."""

from dataclasses import dataclass

import numpy as np

from hwgen.dse.crossbar.anneal import empty_design
from hwgen.dse.crossbar.choices import Box, Choices, Held, make_choices
from hwgen.dse.crossbar.cuts import Cut, critical_cut
from hwgen.dse.crossbar.moves import join, repair
from hwgen.dse.crossbar.relaxed import Relaxation, path_lengths
from hwgen.model.crossbar.design import Design, lay_out
from hwgen.model.crossbar.tables import CONV, Ints, Tables
from hwgen.model.crossbar.timing import closed_form, make_pipeline

ROUNDS = 6
MOST_CUTS = 14
NARROW = 1.004
"""A box whose ends are closer than this is not split any further."""


@dataclass(frozen=True, kw_only=True)
class BoxBound:
    """The bound of one box in nJ, the paths that it rests on, and a design that it points at."""

    energy: float
    cuts: list[Cut]
    design: Design | None


def mean_design(tables: Tables, relaxation: Relaxation, *, mean: bool) -> Design:
    """Return a design near the mixture of a relaxation: its means, or its largest shares."""
    choices = relaxation.choices
    design: Design = empty_design(len(tables.kind))
    for i in range(len(tables.kind)):
        begin, end = choices.begin[i], choices.begin[i + 1]
        if begin == end:
            design.macros[i] = 0
            continue
        shares = relaxation.mixture[begin:end]
        most = begin + int(shares.argmax())
        design.macros[i] = choices.macros[most]
        design.clocks[i] = choices.clocks[most]
        design.copies[i] = choices.copies_low[most]
        if mean and tables.kind[i] == CONV and shares.sum() > 0:
            blocks = (shares * choices.blocks[begin:end]).sum() / shares.sum()
            design.copies[i] = -(-tables.pixels[i] // max(1, round(blocks)))
    for (i, j), share in relaxation.pairs.items():
        # Two halves of a layer may both be a little more than a half.
        if share > 0.5 and design.mate[i] < 0 and design.mate[j] < 0:
            join(design, i, j)
    repair(tables, design)
    return design


def path_of(tables: Tables, needs: Ints, box: Box, design: Design) -> Cut:
    """Return the critical path of a design by the closed form."""
    layout = lay_out(tables, design)
    pipeline = make_pipeline(tables, layout, design.clocks, box.memory, box.step_high)
    times = closed_form(tables, layout, pipeline)
    return critical_cut(tables, needs, layout, pipeline, times)


def length_of(tables: Tables, relaxation: Relaxation, choices: Choices, cut: Cut) -> float:
    """Return the mean steps of a path in a relaxation."""
    lengths = path_lengths(tables, choices, cut.enter, cut.leave)
    return float((lengths * relaxation.mixture).sum() + cut.fixed)


def bound_box(
    tables: Tables, held: Held, needs: Ints, box: Box, cuts: list[Cut], target: float
) -> BoxBound:
    """Return the bound of a box; it begins with the paths of the box around it.

    target: nJ above which nothing is of interest
    """
    choices = make_choices(tables, held, box)
    for i in range(len(tables.kind)):
        if tables.crossbars[i] > 0 and choices.begin[i] == choices.begin[i + 1]:
            return BoxBound(energy=np.inf, cuts=cuts, design=None)
    relaxation = Relaxation(tables, box, choices, target)
    own = list(cuts)
    for cut in own:
        relaxation.add_path(cut)
    for _ in range(ROUNDS):
        if relaxation.solve():
            break
        fresh = []
        for mean in (True, False):
            design = mean_design(tables, relaxation, mean=mean)
            cut = path_of(tables, needs, box, design)
            if length_of(tables, relaxation, choices, cut) > box.steps_high * 1.001:
                fresh.append(cut)
        if not fresh:
            break
        for cut in fresh:
            relaxation.add_path(cut)
        own += fresh
    else:
        relaxation.solve()
    design = mean_design(tables, relaxation, mean=True)
    return BoxBound(energy=relaxation.bound, cuts=useful(tables, relaxation, own), design=design)


def useful(tables: Tables, relaxation: Relaxation, cuts: list[Cut]) -> list[Cut]:
    """Return the paths that are nearly as long as the box allows, the longest: they bound most."""
    long = 0.97 * relaxation.box.steps_high
    lengths = [length_of(tables, relaxation, relaxation.choices, cut) for cut in cuts]
    order = sorted(range(len(cuts)), key=lambda n: -lengths[n])
    return [cuts[n] for n in order[:MOST_CUTS] if lengths[n] > long]


WIDE = 1.6
"""A box that is wider than this is too large for a relaxed problem to say much."""


def is_wide(box: Box) -> bool:
    """Return whether a box should be split before anything but `scan` looks at it."""
    return max(box.steps_high / box.steps_low, box.step_high / box.step_low) > WIDE


def halves(box: Box) -> list[Box]:
    """Return the two parts of a box along its longer side; none if it is narrow."""
    steps = box.steps_high / box.steps_low
    step = box.step_high / box.step_low
    if max(steps, step) < NARROW:
        return []
    if steps >= step:
        middle = float(np.sqrt(box.steps_low * box.steps_high))
        return [box._replace(steps_high=middle), box._replace(steps_low=middle)]
    middle = float(np.sqrt(box.step_low * box.step_high))
    return [box._replace(step_high=middle), box._replace(step_low=middle)]
