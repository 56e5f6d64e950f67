"""Boxes: parts of the design space, bounded in time, over some scratchpads and some ratios."""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.allocate import memory_peak
from hwgen.crossbar.model.tables import CONV, PEAK, POWER, RATIO, Floats, Tables
from hwgen.crossbar.model.traffic import ceil_div


@opaque
class Box(NamedTuple):
    """A part of the design space.

    steps_low, steps_high: of an image; step_low, step_high: ns of a step
    memory, most_memory: rows of scratchpads
    ratio_low, ratio_high: of the published RatioRram
    """

    steps_low: float
    steps_high: float
    step_low: float
    step_high: float
    memory: int
    most_memory: int
    ratio_low: float
    ratio_high: float


def box_at(
    tables: Tables, steps: tuple[float, float], step_ns: tuple[float, float], memory: int
) -> Box:
    """Return a box with one size of scratchpads, at the ratio of its tables."""
    ratio = float(tables.scalars[RATIO])
    return Box(*steps, *step_ns, memory, memory, ratio, ratio)


@compiled
def least_scratchpad(tables: Tables, box: Box) -> Floats:
    """Return, in the form of `Tables.memories`, the least of each figure of a scratchpad."""
    row: Floats = tables.memories[box.memory].copy()
    for memory in range(box.memory + 1, box.most_memory + 1):
        row = np.minimum(row, tables.memories[memory])
    return row


@compiled
def scratchpad_peak(tables: Tables, box: Box) -> float:
    """Return the least peak power of a scratchpad."""
    least = memory_peak(tables, box.memory)
    for memory in range(box.memory + 1, box.most_memory + 1):
        least = min(least, memory_peak(tables, memory))
    return float(least)


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
    if not tables.rules.whole_parts:
        watts *= tables.scalars[RATIO]
    most = int(watts / (tables.crossbars[i] * tables.crossbar[PEAK]))
    return int(min(most, tables.pixels[i]))
