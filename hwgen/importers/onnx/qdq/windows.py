"""Nodes with windows or matrices: convolutions, fully connected layers, poolings."""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from hwgen.importers.integer.nodes import (
    AveragePooling,
    Convolution,
    FullyConnected,
    MaxPooling,
)
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.nodes import Reading, window_of
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import (
    ZERO,
    Constant,
    Grid,
    Operation,
    Places,
    Real,
    RefusedError,
    Value,
)
from hwgen.importers.onnx.qdq.weights import stored_weights
from hwgen.importers.onnx.shapes import Shapes
from hwgen.spec.graph import Window

RANKS = "of rank 3 or 4"


def map_operand(value: Value | None, what: str = "its input") -> Real:
    """Return a map operand; RefusedError for a constant or for the unquantized image."""
    if isinstance(value, Real) and not value.integer:
        return value
    raise RefusedError(what, "a quantized map (QuantizeLinear, DequantizeLinear)", "another tensor")


def constant_operand(value: Value | None, what: str) -> Constant | None:
    """Return a constant operand, or None if it is left out."""
    if value is None or isinstance(value, Constant):
        return value
    raise RefusedError(what, "a constant", "a computed tensor")


def rows_and_columns(values: tuple[int, ...], fill: int) -> tuple[int, int]:
    """Return two entries; those of a sequence get a second one."""
    return (values[0], fill) if len(values) == 1 else (values[0], values[1])


def window(state: State, proto: onnx.NodeProto, real: Real, kernel: tuple[int, ...]) -> Window:
    """Return the window of a node over rows and columns, automatic padding resolved."""
    if len(real.shape) != len(kernel) + 2 or not 1 <= len(kernel) <= 2:
        raise RefusedError("its input", RANKS, f"of rank {len(real.shape)}")
    attributes = attributes_of(proto)
    strides = attributes.get("strides", [1] * len(kernel))
    known = {proto.input[0]: real.shape}
    sides = zip(real.shape[2:], strides, strict=True)
    known[proto.output[0]] = (*real.shape[:2], *(-(-side // stride) for side, stride in sides))
    if len(proto.input) > 1:
        known[proto.input[1]] = (0, 0, *kernel)
    shapes = Shapes(known=known, constants={}, obstacle="")
    found = window_of(Reading(proto=proto, shapes=shapes, source=state.source), kernel)
    half = len(kernel)
    pads = [*rows_and_columns(found.pads[:half], 0), *rows_and_columns(found.pads[half:], 0)]
    return Window(
        kernel=rows_and_columns(kernel, 1),
        strides=rows_and_columns(found.strides, 1),
        pads=tuple(pads),
        dilations=rows_and_columns(found.dilations, 1),
        groups=found.groups,
    )


def sides_after(shape: tuple[int, int], found: Window) -> tuple[int, int]:
    """Return rows and columns behind a window; RefusedError where it does not fit."""
    after = []
    if min(found.strides) < 1 or min(found.dilations) < 1 or min(found.pads) < 0:
        raise RefusedError("its window", "of strides above 0 and pads from 0", "others")
    for axis in range(2):
        size = shape[axis] + found.pads[axis] + found.pads[axis + 2]
        reach = (found.kernel[axis] - 1) * found.dilations[axis] + 1
        after.append((size - reach) // found.strides[axis] + 1)
    if min(after) < 1:
        raise RefusedError(
            "its window", f"inside its input {shape[0]} x {shape[1]}", "a larger one"
        )
    return after[0], after[1]


def planes_like(state: State, operation: Operation, rank: int) -> Real:
    """Return the output of an operation as batch, channels, rows (and columns)."""
    places = state.planes(operation.shape)
    return Real(base=operation, places=places if rank == 4 else places[..., 0])


def conv(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Conv with quantized weights."""
    real = map_operand(inputs[0])
    weights = constant_operand(inputs[1], "its weights")
    bias = constant_operand(inputs[2], "its bias") if len(inputs) > 2 else None
    stored = stored_weights(weights, bias)
    rank = stored.integers.ndim
    found = window(state, proto, real, stored.integers.shape[2:])
    integers = stored.integers if rank == 4 else stored.integers[..., np.newaxis]
    groups, inside = found.groups, integers.shape[1]
    channels = real.shape[1]
    if groups < 1 or inside * groups != channels or len(integers) % groups:
        allowed = f"{channels} / groups channels in, a multiple of groups out"
        raise RefusedError("its weights", allowed, f"{inside} and {len(integers)}, {groups} groups")
    source = state.planar(real, proto)
    height, width, _ = state.maps[source].shape
    operation = Operation(
        kind=Convolution,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=(*sides_after((height, width), found), len(integers)),
        keys={
            "stored": replace(stored, integers=integers.transpose(0, 2, 3, 1)),
            "stride": found.strides,
            "padding": found.pads,
            "dilation": found.dilations,
            "groups": groups,
        },
    )
    return [planes_like(state, operation, rank)]


def gemm(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Gemm: rows of values times constant weights."""
    attributes = attributes_of(proto)
    if attributes.get("transA", 0):
        raise RefusedError("transA", 0, attributes["transA"])
    weights = constant_operand(inputs[1], "its second matrix")
    if weights is not None and not attributes.get("transB", 0):
        weights = transposed(weights)
    bias = constant_operand(inputs[2], "its bias") if len(inputs) > 2 else None
    if bias is not None and float(attributes.get("beta", 1.0)) != 1:
        bias = Constant(array=bias.array.astype(np.float64) * float(attributes["beta"]))
    gain = float(attributes.get("alpha", 1.0))
    return [product(state, proto, map_operand(inputs[0]), weights, bias, gain=gain)]


def matmul(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a MatMul: the last dimension of a map times constant weights."""
    weights = constant_operand(inputs[1], "its second matrix")
    if weights is None or weights.array.ndim != 2:
        raise RefusedError("its second matrix", "of two dimensions", "others")
    return [product(state, proto, map_operand(inputs[0]), transposed(weights))]


def transposed(weights: Constant) -> Constant:
    """Return a matrix with rows as columns."""
    if weights.array.ndim != 2:
        raise RefusedError("its second matrix", "of two dimensions", weights.array.ndim)
    grid = weights.grid
    if grid is not None:
        grid = Grid(
            integers=grid.integers.T,
            scales=grid.scales.T,
            zero_points=grid.zero_points.T,
            bits=grid.bits,
        )
    return Constant(array=weights.array.T, grid=grid)


def product(
    state: State,
    proto: onnx.NodeProto,
    real: Real,
    weights: Constant | None,
    bias: Constant | None = None,
    *,
    gain: float = 1.0,
) -> Real:
    """Return the product of a map with weights (out, in): a layer, or a convolution of 1 x 1."""
    stored = stored_weights(weights, bias, gain)
    if stored.integers.ndim != 2 or real.shape[-1] != stored.integers.shape[1]:
        allowed = f"(out, {real.shape[-1]})"
        raise RefusedError("its weights", allowed, list(stored.integers.shape))
    common: dict[str, Any] = {
        "name": node_name(proto),
        "operator": proto.op_type,
        "tensor": proto.output[0],
    }
    outputs = len(stored.integers)
    if len(real.shape) == 2:
        real = state.settled(real, proto)
        source = str(real.base)
        ordered = in_order(state, real, stored.integers)
        operation = Operation(
            kind=FullyConnected,
            inputs=(source,),
            shape=(1, 1, outputs),
            keys={"stored": replace(stored, integers=ordered)},
            **common,
        )
        return Real(base=operation, places=state.places((1, 1, outputs)).reshape(-1, outputs))
    places = real.places
    if not 3 <= places.ndim <= 4:
        raise RefusedError("its input", "of rank 2 to 4", f"of rank {places.ndim}")
    if places.ndim == 3:
        places = places[:, :, np.newaxis]
    source = state.arranged(replace(real, places=places), proto)
    height, width, _ = state.maps[source].shape
    operation = Operation(
        kind=Convolution,
        inputs=(source,),
        shape=(height, width, outputs),
        keys={
            "stored": replace(stored, integers=stored.integers[:, np.newaxis, np.newaxis]),
            "stride": (1, 1),
            "padding": (0, 0, 0, 0),
        },
        **common,
    )
    return Real(base=operation, places=state.places(operation.shape).reshape(*real.shape[:-1], -1))


def in_order(state: State, real: Real, integers: Any) -> Any:
    """Return weights (out, in) in the order of the map: rows, columns, channels.

    Elements of the map that are not read get weights of zero; a real zero needs none.
    """
    values = state.maps[str(real.base)]
    size = values.shape[0] * values.shape[1] * values.shape[2]
    first: Places = state.first_of(real.places, values.shape)
    read = first != ZERO
    if len(np.unique(first[read])) != read.sum():
        raise RefusedError("its input", "every value once", "some twice")
    ordered = np.zeros((len(integers), size), integers.dtype)
    ordered[:, first[read]] = integers[:, read]
    return ordered


def max_pool(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a MaxPool; rounding up is more padding at bottom and right."""
    real, integer = pooled_operand(inputs[0])
    kernel = tuple(attributes_of(proto).get("kernel_shape", ()))
    found = window(state, proto, real, kernel)
    if set(found.dilations) != {1}:
        raise RefusedError("dilations", 1, list(found.dilations))
    source = state.planar(real, proto)
    height, width, channels = state.maps[source].shape
    found = rounded_up(proto, found, (height, width))
    operation = Operation(
        kind=MaxPooling,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=(*sides_after((height, width), found), channels),
        keys={"kernel": found.kernel, "stride": found.strides, "padding": found.pads},
    )
    made = planes_like(state, operation, len(real.shape))
    return [replace(state.settled(made, proto), integer=True) if integer else made]


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
    counts = bool(attributes.get("count_include_pad", 0)) and wider.pads == found.pads
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
    height, width, channels = state.maps[source].shape
    operation = Operation(
        kind=MaxPooling,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=(1, 1, channels),
        keys={"kernel": (height, width), "stride": (1, 1), "padding": (0, 0, 0, 0)},
    )
    return [planes_like(state, operation, len(real.shape))]


def reduce_mean(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a ReduceMean over rows and columns; the dimension left beside the batch is channels."""
    real = map_operand(inputs[0])
    attributes = attributes_of(proto)
    named = constant_operand(inputs[1], "axes") if len(inputs) > 1 else None
    given = attributes.get("axes") if named is None else named.array.reshape(-1).tolist()
    rank = len(real.shape)
    axes = sorted({int(axis) % rank for axis in (range(rank) if given is None else given)})
    left = [axis for axis in range(1, rank) if axis not in axes]
    if 0 in axes or len(left) != 1 or not 3 <= rank <= 4:
        raise RefusedError("axes", "rows and columns (all but batch and channels)", axes)
    places = real.places.transpose(0, left[0], *axes)
    source = state.planar(replace(real, places=places), proto)
    made = mean(state, proto, source, whole(state.maps[source].shape[:2]), 4, counts=False)
    shape = [1 if axis in axes else side for axis, side in enumerate(real.shape)]
    if not attributes.get("keepdims", 1):
        shape = [side for axis, side in enumerate(shape) if axis not in axes]
    return [replace(made, places=made.places.reshape(shape))]
