"""Nodes that rearrange the elements of a map, pad it, or look them up.

Tests: `tests/importers/onnx/test_quantized.py`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from hwgen.importers.integer.moves import ZERO
from hwgen.importers.integer.nodes import Border, Head, Lookup, Padding
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of, computed
from hwgen.importers.onnx.qdq.grids import type_name
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Constant, Image, Operation, Real, Step, Value
from hwgen.importers.onnx.qdq.windows import map_operand

INDEX_TYPES = (6, 7)
"""int32 and int64: what a Gather reads."""

BORDERS = {"reflect": True, "edge": False}
"""Modes of a Pad whose border is of the map itself; whether its outermost row is left out."""
LARGEST = 1 << 26
"""Elements of a padded map at most."""


def step_of(proto: onnx.NodeProto) -> Step:
    """Return a node that rearranges."""
    return Step(name=node_name(proto), operator=proto.op_type, moves=True)


def rearrange(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a node that moves elements: it is applied to their places."""
    given = inputs[0]
    if proto.op_type == "Gather" and isinstance(given, Constant):
        return [table(state, proto, given, inputs[1])]
    if not isinstance(given, Real | Image):
        raise RefusedError("its first input", "a map", "another")
    others: list[Any] = []
    for each in inputs[1:]:
        if not isinstance(each, Constant | None):
            raise RefusedError("its inputs", "one map, then constants", "others")
        others.append(None if each is None else each.array)
    results = computed(proto, [given.places, *others], state.opset)
    for places in results:
        if not places.ndim or places.size % state.batch:
            allowed = f"of {state.batch} images, as the batch says"
            raise RefusedError("its output", allowed, list(places.shape))
    if isinstance(given, Image):
        return [replace(given, places=places) for places in results]
    return [
        replace(given, places=places, trail=(*given.trail, step_of(proto))) for places in results
    ]


def table(state: State, proto: onnx.NodeProto, given: Constant, index: Value | None) -> Real:
    """Return a Gather of constants by the integers of a map: a table."""
    entries = given.array
    if not isinstance(index, Real) or not index.integer or given.grid is not None:
        raise RefusedError("its indices", "the integers of a quantized map", "others")
    if entries.ndim != 1 or entries.dtype.name not in ("uint8", "int8"):
        raise RefusedError("its table", "a list of uint8 or int8", list(entries.shape))
    index = state.settled(replace(index, integer=False), proto)
    source = state.maps[str(index.base)]
    top = max(-source.low, source.high + 1)
    if len(entries) < top:
        raise RefusedError("its table", f"at least {top} long", len(entries))
    operation = Operation(
        kind=Lookup,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(str(index.base),),
        tensor=proto.output[0],
        shape=source.shape,
        keys={"table": entries},
    )
    return Real(base=operation, places=index.places, integer=True)


def unchanged(_: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a node that changes nothing in inference."""
    given = inputs[0]
    if given is None:
        raise RefusedError("its input", "present", "none")
    return [given]


def cast(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Cast: of real numbers to real numbers, of integers to indices or their own type."""
    given, kind = inputs[0], int(attributes_of(proto).get("to", onnx.TensorProto.FLOAT))
    if isinstance(given, Real) and kind in types_kept(state, given):
        return [given]
    allowed = "float32 or float64 of real numbers; int32, int64 or their own type of integers"
    raise RefusedError("its type", allowed, onnx.TensorProto.DataType.Name(kind).lower())


def types_kept(state: State, given: Real) -> set[int]:
    """Return the types that hold every number of a tensor."""
    if not given.integer:
        return {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE}
    if isinstance(given.base, Operation):
        return set(INDEX_TYPES)
    own = np.dtype(type_name(state.grids[given.base]))
    return {*INDEX_TYPES, onnx.helper.np_dtype_to_tensor_dtype(own)}


def pad(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Pad: zeros, the map's own rows, or the lowest number in front of a max pool."""
    real = map_operand(inputs[0])
    if not real.plain:
        real = state.settled(real, proto)
    mode = attributes_of(proto).get("mode", b"constant").decode()
    if mode in BORDERS:
        return [bordered(state, proto, real, inputs, mirrored=BORDERS[mode])]
    width, value = added(proto, inputs, rank=len(real.shape))
    sides = [side + sum(pair) for side, pair in zip(real.shape, width, strict=True)]
    if min(min(pair) for pair in width) < 0 or np.prod(sides, dtype=float) > LARGEST:
        raise RefusedError("its pads", "0 or above, of a map of usual size", width)
    if any(width[0]):
        raise RefusedError("its pads", "0 for the batch", width[0])
    if value != 0:
        return [padded_by_lowest(state, proto, real, width, value)]
    places = np.pad(real.places, width, constant_values=ZERO)
    return [replace(real, places=places, trail=(*real.trail, step_of(proto)))]


def bordered(
    state: State, proto: onnx.NodeProto, real: Real, inputs: list[Value | None], *, mirrored: bool
) -> Real:
    """Return a map with rows and columns of its own around it."""
    width, _ = added(proto, inputs, rank=len(real.shape))
    source = state.planar(state.settled(real, proto), proto)
    values = state.maps[source]
    (top, bottom), (left, right) = [*width[2:], (0, 0), (0, 0)][:2]
    sides = (top, left, bottom, right)
    if any((*width[0], *width[1])) or min(sides) < 0:
        raise RefusedError("its pads of the map itself", "of rows and columns, 0 or above", width)
    if not any(sides):
        return real
    made = values.reshaped(
        (values.shape[0] + top + bottom, values.shape[1] + left + right, values.shape[2])
    )
    node = Border(
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        output=proto.output[0],
        sides=sides,
        mirrored=mirrored,
    )
    places = state.planes(made.shape)
    name = state.emit(node, made, like=source)
    return Real(base=name, places=places.reshape(places.shape[: len(real.shape)]))


def padded_by_lowest(
    state: State, proto: onnx.NodeProto, real: Real, width: list[tuple[int, int]], value: float
) -> Real:
    """Return a map with rows and columns around it that are below all of its elements."""
    source = state.planar(state.settled(real, proto), proto)
    values = state.maps[source]
    lowest = values.real_range[0]
    if not value <= lowest + values.scale / 2:
        allowed = f"0, or the lowest number of the map ({lowest:.6g}) before a max pool"
        raise RefusedError("its value", allowed, value)
    if any(width[1]):
        raise RefusedError("its pads of its value", "0 for the channels", width[1])
    (top, bottom), (left, right) = [*width[2:], (0, 0), (0, 0)][:2]
    height, columns, channels = values.shape
    node = Padding(
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        output=proto.output[0],
        sides=(top, left, bottom, right),
        lowest=True,
    )
    made = values.reshaped((height + top + bottom, columns + left + right, channels))
    places = state.planes(made.shape)
    name = state.emit(node, made, like=source)
    return Real(base=name, places=places.reshape(places.shape[: len(real.shape)]))


def added(
    proto: onnx.NodeProto, inputs: list[Value | None], *, rank: int
) -> tuple[list[tuple[int, int]], float]:
    """Return how much a Pad adds in front of and behind each dimension, and of which value."""
    attributes = attributes_of(proto)
    mode = attributes.get("mode", b"constant").decode()
    if mode not in ("constant", *BORDERS):
        raise RefusedError("mode", " or ".join(("constant", *BORDERS)), mode)
    parts: list[list[float] | None] = [None] * 3
    for place, each in enumerate(inputs[1:4]):
        if isinstance(each, Constant):
            parts[place] = each.array.reshape(-1).tolist()
        elif each is not None:
            raise RefusedError("its inputs", "one map, then constants", "others")
    pads = attributes.get("pads") if parts[0] is None else parts[0]
    value = [attributes.get("value", 0.0)] if parts[1] is None else parts[1]
    axes = range(rank) if parts[2] is None else [int(axis) % rank for axis in parts[2]]
    if pads is None or len(pads) != 2 * len(axes):
        raise RefusedError("its pads", f"{2 * len(axes)} of them", pads)
    width = [(0, 0)] * rank
    for place, axis in enumerate(axes):
        width[axis] = (int(pads[place]), int(pads[place + len(axes)]))
    return width, float(value[0]) if value else 0.0


def head(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Softmax: the order of the answer's channels is that before it."""
    real = map_operand(inputs[0])
    raw = isinstance(real.base, Operation)
    real = state.raw(real, real.base.tensor) if raw else state.settled(real, proto)  # type: ignore[union-attr]
    base = str(real.base)
    operation = Operation(
        kind=Head,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(base,),
        tensor=proto.output[0],
        shape=state.maps[base].shape,
    )
    return [Real(base=operation, places=real.places)]
