"""Nodes that rearrange a map: from the places of its elements to strides, channels and padding.

Tests: `tests/importers/tflite/test_operators.py`.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.blocks import Step, block_steps
from hwgen.importers.integer.maps import Shape
from hwgen.importers.integer.refused import RefusedError

Places = NDArray[np.int64]
"""For each element of a tensor the number of the element of the map that it is."""

ZERO = -1
"""Place of an element that is a real zero, of a padding."""

WHOLE = "from the first to the last row and column, at equal steps, and whole channels"


@dataclass(frozen=True, kw_only=True)
class Line:
    """The places along one dimension: `before` zeros, then 0, step, 2 * step ..., `behind` zeros.

    picked: what is read, which may be in any order
    """

    before: int
    behind: int
    picked: NDArray[np.int64]

    def step(self, side: int) -> int:
        """Return the step over a dimension of `side` entries; RefusedError if there is none."""
        picked = self.picked
        step = int(picked[1] - picked[0]) if len(picked) > 1 else max(1, side)
        if not len(picked) or step < 1 or not np.array_equal(picked, np.arange(0, side, step)):
            raise RefusedError("what it selects", WHOLE, "other values")
        return step


def line_of(along: NDArray[np.int64]) -> Line:
    """Return the places along one dimension."""
    real = np.flatnonzero(along != ZERO)
    if not len(real):
        raise RefusedError("its output", "with values of its input", "zeros alone")
    first, last = int(real[0]), int(real[-1])
    return Line(before=first, behind=len(along) - 1 - last, picked=along[first : last + 1])


def lines_of(places: Places, shape: Shape) -> tuple[Line, Line, Line]:
    """Return the places along rows, columns and channels; RefusedError if they mix.

    places: (rows, columns, channels) of the output, in a map of `shape`
    """
    _, width, channels = shape
    inside = places != ZERO
    parts = (places // (width * channels), places // channels % width, places % channels)
    along = []
    for axis, part in enumerate(parts):
        others = tuple(each for each in range(3) if each != axis)
        along.append(np.where(inside, part, ZERO).max(axis=others))
    rows, columns, picked = np.ix_(*along)
    expected = (rows * width + columns) * channels + picked
    expected = np.where((rows != ZERO) & (columns != ZERO) & (picked != ZERO), expected, ZERO)
    if not np.array_equal(expected, places):
        raise RefusedError("what it selects", WHOLE, "a mixture of rows, columns and channels")
    return line_of(along[0]), line_of(along[1]), line_of(along[2])


def moved_nodes(
    places: Places, *, source: str, shape: Shape, output: str, name: str, operator: str
) -> list[tuple[ir.Node, Shape]]:
    """Return nodes that make a map of `places` from a whole map, or its view in another shape."""
    about = {"source": source, "output": output, "name": name, "operator": operator}
    whole = places.size == math.prod(shape)
    if whole and np.array_equal(places.reshape(-1), np.arange(places.size)):
        return [(view_node(**about), (places.shape[0], places.shape[1], places.shape[2]))]
    return moving_nodes(places, shape=shape, **about)


def moving_nodes(
    places: Places, *, source: str, shape: Shape, output: str, name: str, operator: str
) -> list[tuple[ir.Node, Shape]]:
    """Return nodes that make a map of `places` from the map `source`, and the shape of each.

    places: (rows, columns, channels) of the result; the last node writes `output`
    """
    try:
        steps = line_steps(places, shape)
    except RefusedError:
        steps = block_steps(places, shape)
        if not steps:
            raise
    nodes = []
    for count, (kind, keys, made) in enumerate(steps, start=1):
        target = output if count == len(steps) else f"{output}/part{count}"
        node = kind(name=name, operator=operator, inputs=(source,), output=target, **keys)
        nodes.append((node, made))
        source = target
    return nodes


def line_steps(places: Places, shape: Shape) -> list[Step]:
    """Return what selects rows, columns and channels apart from each other, with zeros around."""
    rows, columns, channels = lines_of(places, shape)
    stride = (rows.step(shape[0]), columns.step(shape[1]))
    height, width = len(rows.picked), len(columns.picked)
    sides = (rows.before, columns.before, rows.behind, columns.behind)
    prefix = np.array_equal(channels.picked, np.arange(len(channels.picked)))
    both = len(channels.picked) < shape[2] and channels.behind > 0
    zeros = channels.before > 0 or (channels.picked == ZERO).any()
    steps: list[Step] = []
    if prefix and stride == (1, 1) and not any(sides) and len(channels.picked) == places.shape[2]:
        steps.append((ir.Selection, {"channels": tuple(range(places.shape[2]))}, places.shape))
    elif prefix and not any(sides) and not channels.before and not both:
        steps.append((ir.Subsampling, {"stride": stride}, places.shape))
    elif zeros:
        made = (height, width, int(places.shape[2]))
        one = {"weights": selecting(channels, shape[2]), "stride": stride}
        steps.append((ir.Convolution, {**one, "padding": ir.NO_PADDING}, made))
        if any(sides):
            steps.append((ir.Padding, {"sides": sides}, places.shape))
    else:
        if stride != (1, 1):
            steps.append((ir.Subsampling, {"stride": stride}, (height, width, shape[2])))
        if not prefix or len(channels.picked) < shape[2]:
            picked = tuple(int(each) for each in channels.picked)
            steps.append((ir.Selection, {"channels": picked}, (height, width, len(picked))))
        if channels.behind:
            deep: Shape = (height, width, int(places.shape[2]))
            added: dict[str, Any] = {"sides": ir.NO_PADDING, "channels": (0, channels.behind)}
            steps.append((ir.Padding, added, deep))
        if any(sides):
            steps.append((ir.Padding, {"sides": sides}, places.shape))
    return steps


def selecting(channels: Line, inputs: int) -> ir.Weights:
    """Return weights of 1 x 1 that select channels, and zeros where there are none."""
    along = np.concatenate(
        [np.full(channels.before, ZERO), channels.picked, np.full(channels.behind, ZERO)]
    )
    kernel = np.zeros((len(along), 1, 1, inputs), np.int64)
    real = np.flatnonzero(along != ZERO)
    kernel[real, 0, 0, along[real]] = 1
    return ir.weights_of(kernel, scales=1.0)


def view_node(*, source: str, output: str, name: str, operator: str) -> ir.View:
    """Return the node of another shape for the same elements."""
    return ir.View(name=name, operator=operator, inputs=(source,), output=output)
