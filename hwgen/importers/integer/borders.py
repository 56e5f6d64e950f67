"""A border of rows and columns of the map itself: zeros, to which moved maps are added.

Each row of a border is the map moved there, times a map of ones in that row and zeros elsewhere. A
row of zeros plus one that is real is that one, so that all is exact.

Tests: `tests/importers/onnx/test_borders.py`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.parts import MOST_PADDED, Parts
from hwgen.network.maps import BYTE_BITS

Row = tuple[int, int, int]
"""Axis, place in the larger map, and how far behind it what stands there is."""
FARTHEST = 24
"""Rows at most that a map is moved by: the taps of a depthwise convolution, less one."""


def expand_border(parts: Parts, node: ir.Border) -> None:
    """Expand a border; one that is larger than the map, or far from it, is refused."""
    source, output = parts.maps[node.inputs[0]], parts.maps[node.output]
    rows = list(rows_of(node, source))
    reach = [side - node.mirrored for side in source.shape[:2]]
    fits = all(max(node.sides[axis::2]) <= reach[axis] for axis in (0, 1))
    far = max((abs(step) for _, _, step in rows), default=FARTHEST + 1)
    if not fits or far > FARTHEST or source.bits > BYTE_BITS:
        return
    if source.same_numbers != output.same_numbers:
        return
    whole = replace(source.unsigned, low=0, high=(1 << source.bits) - 1)
    name, grown = node.inputs[0], -1
    for axis, place, step in rows:
        if axis != grown:
            name, grown = zeros_around(parts, name, axis, node.sides[axis::2]), axis
        row = moved_row(parts, name, (axis, place, step), whole)
        if (axis, place, step) == rows[-1]:
            parts.last(ir.Addition, name, row)
        else:
            made = whole.reshaped(parts.maps[name].shape)
            name = parts.add(ir.Addition, "border", made, name, row)


def rows_of(node: ir.Border, source: QuantizedMap) -> Iterator[Row]:
    """Yield the rows of a border, then its columns."""
    times = 2 if node.mirrored else 1
    for axis in (0, 1):
        before, behind = node.sides[axis::2]
        for place in range(before):
            yield axis, place, times * (before - place)
        for place in range(behind):
            yield axis, before + source.shape[axis] + place, -times * (place + 1)


def zeros_around(parts: Parts, name: str, axis: int, sides: tuple[int, ...]) -> str:
    """Return a map with zeros in front of and behind an axis, a few at a time."""
    left = list(sides)
    while any(left):
        now = [min(MOST_PADDED, side) for side in left]
        left = [side - each for side, each in zip(left, now, strict=True)]
        shape = list(parts.maps[name].shape)
        shape[axis] += sum(now)
        given = (now[0], 0, now[1], 0) if axis == 0 else (0, now[0], 0, now[1])
        output = parts.maps[name].reshaped((shape[0], shape[1], shape[2]))
        name = parts.add(ir.Padding, "zeros", output, name, sides=given)
    return name


def moved_row(parts: Parts, name: str, row: Row, whole: QuantizedMap) -> str:
    """Return a map that is zero but in one row, which is another row of a map."""
    axis, place, step = row
    shape = parts.maps[name].shape
    kernel = np.zeros((shape[2], 1 + abs(step), 1, 1), np.int64)
    kernel[:, max(step, 0)] = 1
    top, bottom = max(-step, 0), max(step, 0)
    padding = (top, 0, bottom, 0)
    if axis == 1:
        kernel, padding = kernel.transpose(0, 2, 1, 3), (0, top, 0, bottom)
    here = np.zeros(shape, np.int64)
    here[(slice(None),) * axis + (place,)] = 1
    made = whole.reshaped(shape)
    moved = parts.add(
        ir.Convolution,
        "moved",
        made,
        name,
        weights=ir.weights_of(kernel, scales=1.0),
        stride=(1, 1),
        padding=padding,
        groups=shape[2],
    )
    ones = replace(made, scale=1.0, zero_point=0)
    return parts.add(ir.Multiplication, "row", made, moved, parts.constant("here", ones, here))
