"""Nodes with weights: convolutions and matrix products; the windows that poolings share.

Tests: `tests/importers/onnx/test_kept.py`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.moves import ZERO, Places
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.nodes import Reading, window_of
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.joining import of_pixels
from hwgen.importers.onnx.qdq.sequences import pixels_of
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Constant, Operation, Real, Value
from hwgen.importers.onnx.qdq.weights import Stored, stored_weights
from hwgen.importers.onnx.shapes import Shapes
from hwgen.network.operations import Window

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
    if min(strides) < 1:
        raise RefusedError("its strides", "at least 1", list(strides))
    known = {proto.input[0]: real.shape}
    sides = zip(real.shape[2:], strides, strict=True)
    known[proto.output[0]] = (*real.shape[:2], *(-(-side // stride) for side, stride in sides))
    if len(proto.input) > 1:
        known[proto.input[1]] = (0, 0, *kernel)
    shapes = Shapes(known=known, constants={}, obstacle="")
    found = window_of(Reading(proto=proto, shapes=shapes), kernel)
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
        kind=ir.Convolution,
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


def conv_transpose(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a ConvTranspose: zeros between the pixels, then a convolution of turned weights."""
    real, attributes = map_operand(inputs[0]), attributes_of(proto)
    weights = constant_operand(inputs[1], "its weights")
    bias = constant_operand(inputs[2], "its bias") if len(inputs) > 2 else None
    rank = len(real.shape)
    if weights is None or weights.array.ndim != rank or not 3 <= rank <= 4:
        raise RefusedError("its weights", RANKS, "others")
    if attributes.get("auto_pad", b"NOTSET") != b"NOTSET" or "output_shape" in attributes:
        raise RefusedError("its padding", "given by pads and output_padding", "otherwise")
    groups, axes = int(attributes.get("group", 1)), rank - 2
    if real.shape[1] != len(weights.array) or groups < 1 or real.shape[1] % groups:
        raise RefusedError("its weights", f"of {real.shape[1]} channels in groups", groups)
    stored = stored_weights(applied(weights, lambda each: turned(each, groups)), bias)
    integers = stored.integers if rank == 4 else stored.integers[..., np.newaxis]
    steps = [
        tuple(attributes.get(name, [default] * axes))
        for name, default in (("strides", 1), ("dilations", 1), ("output_padding", 0))
    ]
    stride, dilation, more = (
        rows_and_columns(each, fill) for each, fill in zip(steps, (1, 1, 0), strict=True)
    )
    pads = attributes.get("pads", [0] * 2 * axes)
    before, behind = rows_and_columns(pads[:axes], 0), rows_and_columns(pads[axes:], 0)
    if min(*stride, *dilation) < 1:
        raise RefusedError("its strides", "at least 1", [*stride, *dilation])
    reach = [(integers.shape[2 + axis] - 1) * dilation[axis] for axis in range(2)]
    found = Window(
        kernel=integers.shape[2:],
        strides=(1, 1),
        pads=(
            *(reach[axis] - before[axis] for axis in range(2)),
            *(reach[axis] - behind[axis] + more[axis] for axis in range(2)),
        ),
        dilations=dilation,
        groups=groups,
    )
    source = grown(state, proto, state.planar(real, proto), stride)
    height, width, _ = state.maps[source].shape
    operation = Operation(
        kind=ir.Convolution,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=(*sides_after((height, width), found), len(integers)),
        keys={
            "stored": replace(stored, integers=integers.transpose(0, 2, 3, 1)),
            "stride": (1, 1),
            "padding": found.pads,
            "dilation": dilation,
            "groups": groups,
        },
    )
    return [planes_like(state, operation, rank)]


def grown(state: State, proto: onnx.NodeProto, source: str, factor: tuple[int, int]) -> str:
    """Return a map with zeros between its pixels."""
    if factor == (1, 1):
        return source
    values = state.maps[source]
    height, width, channels = values.shape
    shape = (height - 1) * factor[0] + 1, (width - 1) * factor[1] + 1, channels
    node = ir.Upsampling(
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        output=state.new_name(f"{node_name(proto)}/{source}/grown"),
        factor=factor,
        zeros=True,
    )
    return state.emit(node, values.reshaped(shape), like=source)


def turned(weights: NDArray[Any], groups: int) -> NDArray[Any]:
    """Return weights (in, out / groups, ...) as (out, in / groups, ...), each kernel turned."""
    inputs, each, *kernel = weights.shape
    parts = weights.reshape(groups, inputs // groups, each, *kernel).swapaxes(1, 2)
    joined = parts.reshape(groups * each, inputs // groups, *kernel)
    return np.flip(joined, axis=tuple(range(2, joined.ndim)))


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
    return applied(weights, np.transpose)


def applied(weights: Constant, move: Callable[[NDArray[Any]], NDArray[Any]]) -> Constant:
    """Return a constant whose elements, with all that is known of them, are rearranged."""
    grid = weights.grid
    if grid is not None:
        parts = (grid.integers, grid.scales, grid.zero_points)
        integers, scales, zero_points = (move(part) for part in parts)
        grid = replace(grid, integers=integers, scales=scales, zero_points=zero_points)
    return Constant(array=move(weights.array), grid=grid)


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
    shape = (*real.shape[:-1], outputs)
    real = replace(real, places=state.by_images(real.places))
    if len(real.shape) == 2:
        real = of_first_pixel(state, state.settled(real, proto), proto)
        source = str(real.base)
        operation = Operation(
            kind=ir.FullyConnected,
            inputs=(source,),
            shape=(1, 1, outputs),
            keys={"stored": in_order(state, real, stored)},
            **common,
        )
        return Real(base=operation, places=state.places((1, 1, outputs)).reshape(-1, outputs))
    places = real.places
    if not 3 <= places.ndim <= 4:
        raise RefusedError("its input", "of rank 2 to 4", f"of rank {places.ndim}")
    real = state.settled(real, proto)
    pixels = pixels_of(state, real)
    if places.ndim == 3:
        places = places[:, :, np.newaxis]
    if pixels is None:
        source = state.arranged(replace(real, places=places), proto)
    else:
        source = str(real.base)
    height, width, _ = state.maps[source].shape
    operation = Operation(
        kind=ir.Convolution,
        inputs=(source,),
        shape=(height, width, outputs),
        keys={
            "stored": replace(stored, integers=stored.integers[:, np.newaxis, np.newaxis]),
            "stride": (1, 1),
            "padding": (0, 0, 0, 0),
        },
        **common,
    )
    if pixels is not None:
        return Real(base=operation, places=of_pixels(pixels, outputs).reshape(shape))
    return Real(base=operation, places=state.places(operation.shape).reshape(shape))


def of_first_pixel(state: State, real: Real, reader: onnx.NodeProto) -> Real:
    """Return a tensor of the first pixel alone, such as a class token, as one of its own map."""
    source = str(real.base)
    values = state.maps[source]
    height, width, channels = values.shape
    first = state.first_of(real.places, values.shape)
    if first.min() < 0 or first.max() >= channels:
        return real
    if height * width > 1:
        node = ir.Subsampling(
            name=node_name(reader),
            operator=reader.op_type,
            inputs=(source,),
            output=state.new_name(f"{node_name(reader)}/{source}/first"),
            stride=(height, width),
        )
        source = state.emit(node, values.reshaped((1, 1, channels)), like=source)
    images = np.arange(state.batch).reshape(-1, *(1,) * first.ndim) * channels
    return replace(real, base=source, places=first + images)


def in_order(state: State, real: Real, stored: Stored) -> Stored:
    """Return weights (out, in) in the order of the map: rows, columns, channels.

    Elements of the map that are not read get the zero point as weight; a real zero needs none.
    """
    values = state.maps[str(real.base)]
    size = values.shape[0] * values.shape[1] * values.shape[2]
    first: Places = state.first_of(real.places, values.shape)
    read = first != ZERO
    if len(np.unique(first[read])) != read.sum():
        raise RefusedError("its input", "every value once", "some twice")
    zeros = stored.zero_points.astype(stored.integers.dtype)
    ordered = np.repeat(zeros[:, np.newaxis], size, axis=1)
    ordered[:, first[read]] = stored.integers[:, read]
    return replace(stored, integers=ordered)
