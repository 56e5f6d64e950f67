"""Boxes: parts of the design space, bounded in time."""

from typing import NamedTuple


class Box(NamedTuple):
    """A part of the design space: steps of an image, ns of a step, a row of scratchpads."""

    steps_low: float
    steps_high: float
    step_low: float
    step_high: float
    memory: int
