"""Boxes: parts of the design space, bounded in time."""

from typing import NamedTuple

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import ceil_div
from hwgen.model.crossbar.tables import CONV, PEAK, POWER, RATIO, Tables


class Box(NamedTuple):
    """A part of the design space: steps of an image, ns of a step, a row of scratchpads."""

    steps_low: float
    steps_high: float
    step_low: float
    step_high: float
    memory: int


@compiled
def fewest_copies(tables: Tables, i: int, steps: float) -> int:
    """Return the copies that layer i needs to convert all its blocks within so many steps."""
    if tables.kind[i] != CONV:
        return 1
    blocks = max(1, int(steps / tables.bit_steps))
    return int(ceil_div(tables.pixels[i], min(blocks, tables.pixels[i])))


@compiled
def most_copies(tables: Tables, i: int) -> int:
    """Return the most copies of layer i that the budget holds."""
    if tables.kind[i] != CONV:
        return 1
    watts = tables.scalars[POWER]
    if not tables.strict:
        watts *= tables.scalars[RATIO]
    most = int(watts / (tables.crossbars[i] * tables.crossbar[PEAK]))
    return int(min(most, tables.pixels[i]))
