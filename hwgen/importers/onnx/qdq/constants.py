"""Tensors that do not depend on the image: stored ones, and what nodes compute from them.

Tests: `tests/importers/onnx/test_quantized.py`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from hwgen.errors import FormatError
from hwgen.importers.integer.refused import RefusedError, of_scale
from hwgen.importers.onnx.qdq.values import Constant, Grid

LARGEST = 1 << 24
"""Elements at most of a constant that is computed and not only rearranged."""
LARGEST_MOVED = 1 << 26
"""Elements at most of what is only rearranged, constants and places."""

REARRANGING = frozenset(
    {"Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Tile",
     "Transpose", "Unsqueeze"}
)  # fmt: skip
"""Operators that move elements of their first input and compute nothing."""

MOVING = REARRANGING | {"DepthToSpace", "Resize", "SpaceToDepth"}
"""Operators that move elements of a map."""

COMPUTED = REARRANGING | {
    "Abs", "Add", "And", "Cast", "Ceil", "Clip", "Concat", "Constant", "ConstantOfShape", "Div",
    "Equal", "Exp", "Floor", "Greater", "Less", "Max", "Min", "Mod", "Mul", "Neg", "Not",
    "Or", "Pow", "Reciprocal", "ReduceMax", "ReduceProd", "ReduceSum", "Round", "Shape", "Sqrt",
    "Sub", "Where",
}  # fmt: skip
"""Operators that are computed where all inputs are constants."""

BYTES = ("int8", "uint8")
BITS = {
    "int8": (8, True), "uint8": (8, False), "int16": (16, True), "uint16": (16, False),
    "int4": (4, True), "uint4": (4, False), "int32": (32, True),
}  # fmt: skip
"""Bits and sign of the types that are dequantized."""


def stored(tensor: onnx.TensorProto, source: str) -> Constant:
    """Return a tensor of the file; refuse one that is stored elsewhere or not whole."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise FormatError(
            field=f"tensor {tensor.name}",
            allowed="stored in the model itself",
            given="external data",
            source=source,
        )
    if min(tensor.dims, default=0) < 0:
        raise FormatError(
            field=f"tensor {tensor.name}",
            allowed="of sides from 0",
            given=list(tensor.dims),
            source=source,
        )
    try:
        return Constant(array=numpy_helper.to_array(tensor))
    except (LookupError, ValueError, TypeError, RuntimeError) as error:
        raise FormatError(
            field=f"tensor {tensor.name}", allowed="whole", given=str(error), source=source
        ) from None


def computed(
    proto: onnx.NodeProto, inputs: Sequence[NDArray[Any] | None], opset: int
) -> list[NDArray[Any]]:
    """Return the outputs of a node for arrays; RefusedError for one that does not compute."""
    names = [f"x{place}" if name else "" for place, name in enumerate(proto.input)]
    node = onnx.NodeProto()
    node.CopyFrom(proto)
    del node.input[:]
    node.input.extend(names)
    used = {name: array for name, array in zip(names, inputs, strict=True) if name}
    check_size(proto, [array for array in inputs if array is not None])
    graph = onnx.helper.make_graph(
        [node],
        "node",
        [onnx.ValueInfoProto(name=name) for name in used],
        [onnx.ValueInfoProto(name=name) for name in proto.output if name],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    try:
        return [np.asarray(each) for each in ReferenceEvaluator(model).run(None, used)]
    except Exception as error:  # the library raises what numpy raises, of any kind
        given = " ".join(str(error).split())[:120]
        raise RefusedError("its inputs", "such that it can be computed", given) from None


def check_size(proto: onnx.NodeProto, inputs: Sequence[NDArray[Any]]) -> None:
    """Refuse a constant that would be huge."""
    if proto.op_type == "ConstantOfShape":
        elements = math.prod(max(int(side), 0) for side in inputs[0].reshape(-1)[:16])
    elif proto.op_type == "Expand":
        elements = inputs[0].size * math.prod(max(int(side), 1) for side in inputs[1].reshape(-1))
    elif len(inputs) > 1 and proto.op_type not in REARRANGING | {"Concat"}:
        elements = math.prod(each.size for each in inputs if each.size)
        elements = min(elements, math.prod(largest_sides(inputs)))
    else:
        elements = sum(each.size for each in inputs)
    most = LARGEST_MOVED if proto.op_type in MOVING else LARGEST
    if elements > most:
        raise RefusedError("its output", f"of at most {most} elements", elements)


def largest_sides(inputs: Sequence[NDArray[Any]]) -> list[int]:
    """Return the largest side of arrays in each dimension, counted from the last."""
    rank = max(each.ndim for each in inputs)
    sides = [[1] * (rank - each.ndim) + list(each.shape) for each in inputs]
    return [max(column) for column in zip(*sides, strict=True)]


def folded(proto: onnx.NodeProto, inputs: Sequence[Constant | None], opset: int) -> list[Constant]:
    """Return the constants that a node computes from constants."""
    if proto.op_type == "QuantizeLinear":
        return [quantized_constant(proto, inputs)]
    if proto.op_type == "DequantizeLinear":
        return [dequantized_constant(proto, inputs)]
    if proto.op_type not in COMPUTED:
        raise RefusedError("a constant", "stored, or of simple arithmetic", proto.op_type)
    arrays = [None if each is None else each.array for each in inputs]
    results = [Constant(array=array) for array in computed(proto, arrays, opset)]
    first = inputs[0] if inputs else None
    if proto.op_type == "Clip":
        return [Constant(array=results[0].array, bits=bits_of_clip(arrays))]
    if first is None or first.grid is None or proto.op_type not in REARRANGING:
        return results
    parts = [
        computed(proto, [part, *arrays[1:]], opset)
        for part in (first.grid.integers, first.grid.scales, first.grid.zero_points)
    ]
    return [
        Constant(
            array=result.array,
            grid=replace(first.grid, integers=q, scales=s, zero_points=z),
        )
        for result, q, s, z in zip(results, *parts, strict=True)
    ]


def bits_of_clip(arrays: Sequence[NDArray[Any] | None]) -> int | None:
    """Return the bits that the range of a Clip of bytes needs, 2 or more; None: not known."""
    given, *ends = arrays
    if given is None or given.dtype.name not in BYTES or len(ends) < 2:
        return None
    low, high = (None if each is None or each.size != 1 else int(each.reshape(())) for each in ends)
    if low is None or high is None:
        return None
    signed = given.dtype == np.int8
    bits = max((-1 - low).bit_length() if low < 0 else 0, max(high, 0).bit_length()) + signed
    return min(max(bits, 2), 8)


def along(proto: onnx.NodeProto, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return scales or zero points as an array that broadcasts to the shape of a tensor."""
    attributes = attributes_of(proto)
    if int(attributes.get("block_size", 0)):
        raise RefusedError("its scales", "one a tensor or one a channel", "blocks")
    if values.size == 1:
        return values.reshape(())
    axis = int(attributes.get("axis", 1))
    if values.ndim != 1 or not -len(shape) <= axis < len(shape) or shape[axis] != values.size:
        raise RefusedError(
            "its scales", f"one, or one for each entry of an axis of {list(shape)}", values.shape
        )
    sides = [1] * len(shape)
    sides[axis] = values.size
    return values.reshape(sides)


def attributes_of(proto: onnx.NodeProto) -> Mapping[str, Any]:
    """Return the attributes of a node by name."""
    return {each.name: onnx.helper.get_attribute_value(each) for each in proto.attribute}


def scale_and_zero(
    proto: onnx.NodeProto, inputs: Sequence[Constant | None], shape: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return scales and zero points of a Q or DQ node, which broadcast to a shape."""
    scale = inputs[1]
    if scale is None:
        raise RefusedError("its scale", "present", "none")
    zero = inputs[2] if len(inputs) > 2 else None
    scales = along(proto, scale.array.astype(np.float64), shape)
    wrong = scales[~(np.isfinite(scales) & (scales > 0))]
    if wrong.size:
        raise of_scale(float(wrong[0]))
    if zero is None:
        return scales, np.zeros((), np.uint8)
    return scales, along(proto, zero.array, shape)


def quantized_constant(proto: onnx.NodeProto, inputs: Sequence[Constant | None]) -> Constant:
    """Return a quantized constant."""
    given = inputs[0]
    if given is None:
        raise RefusedError("its input", "present", "none")
    scales, zero = scale_and_zero(proto, inputs, given.array.shape)
    bits, signed = bits_of(zero.dtype)
    low = -(1 << (bits - 1)) if signed else 0
    steps = np.rint((given.array / scales.astype(np.float32)).astype(np.float32))
    integers = np.clip(steps + zero.astype(np.float64), low, low + (1 << bits) - 1)
    kind = zero.dtype if zero.dtype.name in ("int8", "uint8", "int16", "uint16") else np.int8
    return Constant(array=integers.astype(kind))


def dequantized_constant(proto: onnx.NodeProto, inputs: Sequence[Constant | None]) -> Constant:
    """Return a dequantized constant with its integers."""
    given = inputs[0]
    if given is None:
        raise RefusedError("its input", "present", "none")
    bits, signed = bits_of(given.array.dtype)
    shape = given.array.shape
    scales, zero = scale_and_zero(proto, inputs, shape)
    integers = given.array.astype(np.int64 if bits > 16 else np.int32)
    zeros = np.broadcast_to(zero.astype(np.int64), shape)
    steps = np.broadcast_to(scales, shape)
    real = (integers.astype(np.float64) - zeros) * steps
    bits = given.bits or bits
    grid = Grid(integers=integers, scales=steps, zero_points=zeros, bits=bits, signed=signed)
    return Constant(array=real, grid=grid)


def bits_of(kind: np.dtype[Any]) -> tuple[int, bool]:
    """Return bits and sign of a type."""
    if kind.name not in BITS:
        raise RefusedError("its integers", f"of type {', '.join(BITS)}", kind.name)
    return BITS[kind.name]
