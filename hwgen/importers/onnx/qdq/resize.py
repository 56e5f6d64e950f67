"""Nodes that make a map larger: pixels repeated, or means of neighbours.

Tests: `tests/importers/onnx/test_resize.py`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from hwgen.importers.integer.grown import GROWTHS, bilinear, times_of
from hwgen.importers.integer.nodes import AveragePooling, Upsampling
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.rearrange import LARGEST, rearrange
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Constant, Image, Operation, Real, Value
from hwgen.importers.onnx.qdq.windows import map_operand, planes_like

CENTRES = {"half_pixel": True, "pytorch_half_pixel": True, "asymmetric": False}
"""Whether new pixels count from their middle, by the name of how coordinates are transformed."""


def resize(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Resize: nearest moves elements; linear by 2 or 4 is a mean over repeated pixels."""
    given = inputs[0]
    if not isinstance(given, Real | Image):
        raise RefusedError("its first input", "a map", "another")
    wanted = sides_of(proto, given, inputs)
    mode = attributes_of(proto).get("mode", b"nearest").decode()
    if mode == "nearest" or isinstance(given, Image):
        if mode != "nearest":
            raise RefusedError("its mode in front of the first layer", "nearest", mode)
        return rearrange(state, proto, inputs)
    if mode != "linear":
        raise RefusedError("its mode", "nearest or linear", mode)
    return [linear(state, proto, map_operand(given), wanted)]


def linear(state: State, proto: onnx.NodeProto, real: Real, wanted: list[int]) -> Real:
    """Return a map whose new pixels are means of neighbours; wanted: sides of the output."""
    real = state.settled(real, proto)
    if len(wanted) == len(real.shape) and max(real.shape[2:], default=1) == 1:
        return replace(real, places=np.broadcast_to(real.places, (*real.shape[:2], *wanted[2:])))
    attributes = attributes_of(proto)
    how = attributes.get("coordinate_transformation_mode", b"half_pixel").decode()
    if how not in CENTRES:
        raise RefusedError("its coordinates", " or ".join(CENTRES), how)
    source = state.planar(real, proto)
    values = state.maps[source]
    channels = values.shape[2]
    sides = (*wanted[2:], 1)[:2]
    factor = times_of(values.shape, (sides[0], sides[1], wanted[1]))
    if len(wanted) not in (3, 4) or wanted[1] != channels or factor is None:
        before = " x ".join(map(str, values.shape[:2]))
        allowed = f"{before} times {', '.join(map(str, sorted(GROWTHS)))}, of {channels} channels"
        raise RefusedError("its size", allowed, " x ".join(map(str, wanted[1:])))
    times, window = bilinear(factor, centres=CENTRES[how])
    node = Upsampling(
        name=f"{node_name(proto)}_repeated",
        operator=proto.op_type,
        inputs=(source,),
        output=state.new_name(f"{proto.output[0]}/repeated"),
        factor=times,
        zeros=False,
    )
    shape = (values.shape[0] * times[0], values.shape[1] * times[1], channels)
    operation = Operation(
        kind=AveragePooling,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(state.emit(node, values.reshaped(shape), like=source),),
        tensor=proto.output[0],
        shape=(sides[0], sides[1], channels),
        keys=window,
    )
    return planes_like(state, operation, len(wanted))


def sides_of(proto: onnx.NodeProto, given: Real | Image, inputs: list[Value | None]) -> list[int]:
    """Return the sides of the output; refuse a huge one, and sides that are not known."""
    others: list[Any] = []
    for each in inputs[1:]:
        if not isinstance(each, Constant | None):
            raise RefusedError("its inputs", "one map, then constants", "others")
        others.append(None if each is None else each.array)
    scales, sizes = (*others[1:3], None, None)[:2]
    if sizes is not None and sizes.size:
        wanted = sizes.astype(float).reshape(-1)
    elif scales is not None and scales.size == given.places.ndim:
        wanted = np.floor(scales.astype(float).reshape(-1) * given.places.shape)
    else:
        raise RefusedError("its size", "given by scales or sizes", "neither")
    if not 1 <= np.prod(wanted) <= LARGEST:
        raise RefusedError("its output", f"of at most {LARGEST} elements", float(np.prod(wanted)))
    return [int(side) for side in wanted]
