"""Means and maxima over the channels of each pixel.

Tests: `tests/importers/onnx/test_over_channels.py`.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.nodes import NO_PADDING, Convolution, Extremum, Selection
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Operation, Real
from hwgen.importers.onnx.qdq.weights import Stored


def over_channels(state: State, proto: onnx.NodeProto, real: Real, axes: list[int]) -> Real | None:
    """Return a mean or maximum of all channels of each pixel, (batch, rows, columns, 1).

    None where the axes are not those of the channels.
    """
    real = state.settled(real, proto)
    shape, rest = (
        state.shape_of(real),
        [axis for axis in range(real.places.ndim) if axis not in axes],
    )
    if not axes or rest[:1] != [0] or math.prod(real.shape[axis] for axis in axes) != shape[2]:
        return None
    pixels = tuple(real.shape[axis] for axis in rest[1:])
    sides = pixels if len(pixels) == 2 else shape[:2]
    if math.prod(pixels) != math.prod(sides):
        sides = (math.prod(pixels), 1)
    places: Places = real.places.transpose(*rest, *axes).reshape(state.batch, *sides, shape[2])
    if not state.in_lines(real, places):
        return None
    source = state.arranged(replace(real, places=places), proto)
    if proto.op_type == "ReduceMax":
        return maximum_of(state, proto, source)
    ones = np.ones((1, 1, 1, shape[2]), np.int64)
    stored = Stored(
        integers=ones,
        scales=np.full(1, 1 / shape[2]),
        zero_points=np.zeros(1, np.int64),
        bits=8,
        bias=np.zeros(1),
    )
    operation = Operation(
        kind=Convolution,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=(*state.maps[source].shape[:2], 1),
        keys={"stored": stored, "stride": (1, 1), "padding": NO_PADDING},
    )
    return Real(base=operation, places=state.places(operation.shape))


def maximum_of(state: State, proto: onnx.NodeProto, source: str) -> Real:
    """Return the largest channel: the first half beside the last half, until one is left."""
    values, name = state.maps[source], source
    about: dict[str, Any] = {"name": node_name(proto), "operator": proto.op_type}
    channels = values.shape[2]
    while channels > 1:
        half = -(-channels // 2)
        made = values.reshaped((*values.shape[:2], half))
        halves = []
        for first in (0, channels - half):
            picked = tuple(range(first, first + half))
            output = state.new_name(f"{proto.output[0]}/{half}_from_{first}")
            node = Selection(**about, inputs=(name,), output=output, channels=picked)
            halves.append(state.emit(node, made, like=source))
        name = state.new_name(f"{proto.output[0]}/largest_{half}")
        state.emit(Extremum(**about, inputs=(halves[0], halves[1]), output=name), made, like=source)
        channels = half
    return Real(base=name, places=state.places(state.maps[name].shape))
