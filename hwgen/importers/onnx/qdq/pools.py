"""Poolings: maxima and means over windows, and over whole maps.

Tests: `tests/importers/onnx/test_quantized.py`.
"""

from dataclasses import replace

import numpy as np
import onnx

from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.nodes import AveragePooling, MaxPooling
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Operation, Real, Value
from hwgen.importers.onnx.qdq.windows import (
    constant_operand,
    map_operand,
    planes_like,
    sides_after,
    window,
)
from hwgen.network.operations import Window


def max_pool(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a MaxPool; rounding up is more padding at bottom and right."""
    real, integer = pooled_operand(inputs[0])
    kernel = tuple(attributes_of(proto).get("kernel_shape", ()))
    found = window(state, proto, real, kernel)
    if set(found.dilations) != {1}:
        raise RefusedError("dilations", 1, list(found.dilations))
    source = state.planar(real, proto)
    found = rounded_up(proto, found, state.maps[source].shape[:2])
    made = maximum(state, proto, source, found, len(real.shape))
    return [replace(state.settled(made, proto), integer=True) if integer else made]


def maximum(state: State, proto: onnx.NodeProto, source: str, found: Window, rank: int) -> Real:
    """Return the maximum over a window."""
    height, width, channels = state.maps[source].shape
    operation = Operation(
        kind=MaxPooling,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=(*sides_after((height, width), found), channels),
        keys={"kernel": found.kernel, "stride": found.strides, "padding": found.pads},
    )
    return planes_like(state, operation, rank)


def pooled_operand(value: Value | None) -> tuple[Real, bool]:
    """Return a map operand that may hold integers, and whether it does."""
    if isinstance(value, Real) and value.integer:
        return replace(value, integer=False), True
    return map_operand(value), False


def rounded_up(proto: onnx.NodeProto, found: Window, shape: tuple[int, int]) -> Window:
    """Return a window with the padding that `ceil_mode` adds."""
    if not attributes_of(proto).get("ceil_mode", 0):
        return found
    pads = list(found.pads)
    for axis in range(2):
        size = shape[axis] + pads[axis] + pads[axis + 2] - found.kernel[axis]
        steps = -(-size // found.strides[axis])
        if steps * found.strides[axis] >= shape[axis] + pads[axis]:
            steps -= 1  # no window lies in the padding alone
        needed = steps * found.strides[axis] + found.kernel[axis] - shape[axis] - pads[axis]
        pads[axis + 2] = max(pads[axis + 2], needed)
    return replace(found, pads=tuple(pads))


def average_pool(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read an AveragePool."""
    real = map_operand(inputs[0])
    attributes = attributes_of(proto)
    found = window(state, proto, real, tuple(attributes.get("kernel_shape", ())))
    if set(found.dilations) != {1}:
        raise RefusedError("dilations", 1, list(found.dilations))
    source = state.planar(real, proto)
    height, width, _ = state.maps[source].shape
    wider = rounded_up(proto, found, (height, width))
    counts = bool(attributes.get("count_include_pad", 0))
    if counts and wider.pads != found.pads:
        raise RefusedError("a mean that counts padding", "of windows inside it", "rounded up")
    return [mean(state, proto, source, wider, len(real.shape), counts=counts)]


def mean(
    state: State, proto: onnx.NodeProto, source: str, found: Window, rank: int, *, counts: bool
) -> Real:
    """Return the mean over a window."""
    height, width, channels = state.maps[source].shape
    operation = Operation(
        kind=AveragePooling,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=(*sides_after((height, width), found), channels),
        keys={
            "kernel": found.kernel,
            "stride": found.strides,
            "padding": found.pads,
            "counts_padding": counts,
        },
    )
    return planes_like(state, operation, rank)


def whole(shape: tuple[int, int]) -> Window:
    """Return the window over a whole map."""
    return Window(kernel=shape, strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1))


def global_average_pool(
    state: State, proto: onnx.NodeProto, inputs: list[Value | None]
) -> list[Value]:
    """Read a GlobalAveragePool."""
    real = map_operand(inputs[0])
    source = state.planar(real, proto)
    found = whole(state.maps[source].shape[:2])
    return [mean(state, proto, source, found, len(real.shape), counts=False)]


def global_max_pool(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a GlobalMaxPool."""
    real = map_operand(inputs[0])
    source = state.planar(real, proto)
    return [maximum(state, proto, source, whole(state.maps[source].shape[:2]), len(real.shape))]


def channels_first(state: State, real: Real, axes: list[int]) -> Places:
    """Return places as (batch, channels, what is reduced); refuse what leaves no row of channels.

    Recurrent layers have the batch behind their steps, (steps, batch, channels). Of one image a
    dimension of 1 is like none.
    """
    rest = [axis for axis in range(real.places.ndim) if axis not in axes]
    if len(rest) == 2 and 3 <= real.places.ndim <= 4 and real.shape[rest[0]] == state.batch:
        return real.places.transpose(*rest, *axes)
    if state.batch > 1 or sum(real.shape[axis] > 1 for axis in rest) > 1:
        raise RefusedError("axes", "rows and columns (all but batch and channels)", axes)
    reduced_last = real.places.transpose(*rest, *axes)
    return reduced_last.reshape(1, -1, int(np.prod([real.shape[axis] for axis in axes])))


def reduced(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a ReduceMean or ReduceMax over rows and columns."""
    real = map_operand(inputs[0])
    attributes = attributes_of(proto)
    named = constant_operand(inputs[1], "axes") if len(inputs) > 1 else None
    given = attributes.get("axes") if named is None else named.array.reshape(-1).tolist()
    rank = len(real.shape)
    axes = sorted({int(axis) % rank for axis in (range(rank) if given is None else given)})
    made = over_pixels(state, proto, real, axes)
    shape = [1 if axis in axes else side for axis, side in enumerate(real.shape)]
    if not attributes.get("keepdims", 1):
        shape = [side for axis, side in enumerate(shape) if axis not in axes]
    return [replace(made, places=made.places.reshape(shape))]


def over_pixels(state: State, proto: onnx.NodeProto, real: Real, axes: list[int]) -> Real:
    """Return a mean or maximum over rows and columns."""
    source = state.planar(replace(real, places=channels_first(state, real, axes)), proto)
    found = whole(state.maps[source].shape[:2])
    if proto.op_type == "ReduceMax":
        return maximum(state, proto, source, found, 4)
    return mean(state, proto, source, found, 4, counts=False)
