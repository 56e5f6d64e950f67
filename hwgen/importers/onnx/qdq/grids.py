"""QuantizeLinear and DequantizeLinear of maps.

Tests: `tests/importers/onnx/test_export.py`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from hwgen.importers.integer.moves import ZERO
from hwgen.importers.integer.nodes import Lookup
from hwgen.importers.integer.refused import RefusedError, advice, of_scale
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of, bits_of
from hwgen.importers.onnx.qdq.image_parts import begin_part
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import (
    Constant,
    Image,
    Numbers,
    Operation,
    Real,
    Reals,
    Step,
    Value,
)

UINT8 = np.dtype(np.uint8)
QUANTIZED_BEFORE = "written by a QuantizeLinear"


def numbers_of(state: State, proto: onnx.NodeProto, kind: np.dtype | None) -> Numbers:
    """Return scale and zero point of a map; kind: the type where no zero point says it."""
    parts = [state.values.get(name) if name else None for name in proto.input[1:3]]
    scale, zero = (*parts, None)[:2]
    if not isinstance(scale, Constant) or not isinstance(zero, Constant | None):
        raise RefusedError("its scale and zero point", "constants", "others")
    if scale.array.size != 1 or int(attributes_of(proto).get("block_size", 0)):
        raise RefusedError("the scale of a map", "one", f"{scale.array.size} of them")
    real = float(scale.array.reshape(()))
    if not (np.isfinite(real) and real > 0):
        raise of_scale(real)
    if zero is not None and zero.array.size != 1:
        raise RefusedError("the zero point of a map", "one", f"{zero.array.size} of them")
    used = zero.array.dtype if zero is not None else kind or UINT8
    bits, signed = bits_of(used)
    if bits > 16:
        raise RefusedError("the integers of a map", "of at most 16 bits", used.name)
    return Numbers(
        bits=bits,
        signed=signed,
        scale=real,
        zero_point=0 if zero is None else int(zero.array.reshape(())),
    )


def quantize(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a QuantizeLinear: the end of a layer, or the beginning of the network."""
    given, name = inputs[0], proto.output[0]
    numbers = numbers_of(state, proto, output_type(proto))
    if isinstance(given, Image):
        return [begin(state, proto, name, given, numbers)]
    if not isinstance(given, Real) or given.integer:
        raise RefusedError("its input", "real numbers", "others")
    state.grids[name] = numbers
    given = replace(
        given,
        trail=(*given.trail, Step(name=node_name(proto), operator=proto.op_type, moves=False)),
    )
    target = state.refine(name, numbers.map(state.shape_of(given)), False)
    if isinstance(given.base, Operation):
        return [replace(state.finish(given, target, name), integer=True)]
    base = given.base
    source = state.maps[base]
    unmoved = given.plain and source.same_numbers == target.same_numbers
    if (given.places == ZERO).any() or selects(state, given):
        return [selection(state, proto, given, numbers)]
    if unmoved:
        return [replace(given, integer=True)]
    return [replace(state.finish(given, target, name), integer=True)]


def selection(state: State, proto: onnx.NodeProto, given: Real, numbers: Numbers) -> Real:
    """Return what is quantized of a part of a map, or of one with zeros around.

    Rows, columns and channels become a map of this name. Other parts are read where they are, or,
    quantized anew, from a map of their own.
    """
    name, shape = proto.output[0], given.places.shape
    padded = bool((given.places == ZERO).any())
    if padded and len(shape) == 3:
        return padded_sequence(state, proto, given, numbers)
    source = state.maps[str(given.base)]
    wanted = state.refine(name, numbers.map(source.shape), True)
    same = source.same_numbers == wanted.same_numbers
    if given.plain and len(shape) == 4 and (padded or is_picture(state, given)):
        arranged = replace(given, places=given.places.transpose(0, 2, 3, 1))
        moved = state.arranged(arranged, proto, output=name if same else "")
        made = numbers.map((shape[2], shape[3], shape[1]))
        part = Real(base=moved, places=state.planes(made.shape), trail=given.trail)
        if not same:
            target = state.refine(name, made, False)
            return replace(state.finish(part, target, name), integer=True)
        state.maps[moved] = state.refine(name, made, True)
        return replace(part, trail=(), integer=True)
    if padded and len(shape) != 4:
        raise RefusedError("a selection of values", "of rows, columns and channels", shape)
    if padded:
        raise RefusedError("what follows a padding", "a layer with weights or a pooling", "else")
    if given.plain and same:
        return replace(given, integer=True)
    if np.unique(given.places).size == state.places(source.shape).size:  # such as repeated pixels
        whole = state.new_name(f"{name}/whole")
        state.grids[whole] = numbers
        target = state.refine(whole, numbers.map(source.shape), False)
        return replace(state.finish(given, target, whole), integer=True)
    part = state.part(given, proto)
    target = state.refine(name, numbers.map(state.shape_of(part)), False)
    return replace(state.finish(part, target, name), integer=True)


def padded_sequence(state: State, proto: onnx.NodeProto, given: Real, numbers: Numbers) -> Real:
    """Return a sequence with zeros around, (batch, channels, steps) or (batch, steps, channels).

    As a picture of one column; channels are the axis along which elements of the map follow.
    """
    inside = np.where(given.places == ZERO, np.nan, given.places)
    channels_last = bool((np.diff(inside, axis=2) == 1).any())
    order = (0, 2, 1) if channels_last else (0, 1, 2)
    stood = given.places.transpose(order)[..., np.newaxis]
    made = selection(state, proto, replace(given, places=stood), numbers)
    return replace(made, places=made.places[..., 0].transpose(order))


def is_picture(state: State, real: Real) -> bool:
    """Return whether a tensor has rows, columns and channels of its map, channels first."""
    places = real.places
    return places.ndim == 4 and state.in_lines(real, places.transpose(0, 2, 3, 1))


def selects(state: State, real: Real) -> bool:
    """Return whether a tensor has not all elements of its map."""
    height, width, channels = state.shape_of(real)
    return real.places.size != state.batch * height * width * channels


def output_type(proto: onnx.NodeProto) -> np.dtype | None:
    """Return the type that a QuantizeLinear names without a zero point."""
    kind = int(attributes_of(proto).get("output_dtype", 0))
    return onnx.helper.tensor_dtype_to_np_dtype(kind) if kind else None


def begin(state: State, proto: onnx.NodeProto, name: str, image: Image, numbers: Numbers) -> Real:
    """Make the quantized image the input of the network."""
    if state.parts.apart:
        return begin_part(state, proto, image, numbers)
    state.parts.quantized.append((image, numbers))
    if state.input and state.grids[state.input] != numbers:
        allowed = (
            f"quantized in one way{advice(', as import --calibrate does with the float file')}"
        )
        raise RefusedError("the image", allowed, "in two")
    if state.input and done_to(state.image) != done_to(image):
        one, other = done_to(state.image), done_to(image)
        raise RefusedError("the image", f"read in one way ({one})", f"another ({other})")
    if not state.input:
        state.input = name
        state.grids[name] = numbers
        state.maps[name] = state.refine(name, numbers.map(state.image_shape), True)
        state.image = image
    return Real(base=state.input, places=image.places, integer=True)


def done_to(image: Image) -> str:
    """Return what is done to the image before it is quantized, with all constants."""
    if image.integer:
        return "as integers"
    return ", then ".join(["as real numbers", *(step.words() for step in image.steps)])


def dequantize(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a DequantizeLinear: the reading of a map as real numbers."""
    given = inputs[0]
    if isinstance(given, Image) and given.integer:
        numbers = numbers_of(state, proto, image_type(state))
        return [replace(begin(state, proto, proto.input[0], given, numbers), integer=False)]
    if not isinstance(given, Real) or not given.integer:
        raise RefusedError("its input", "integers", "real numbers")
    if isinstance(given.base, Operation):
        if given.base.kind is not Lookup:
            raise RefusedError("its input", QUANTIZED_BEFORE, given.base.operator)
        return [replace(table_map(state, proto, given), integer=False)]
    if not given.plain:
        given = state.settled(given, proto)
    source = state.grids[str(given.base)]
    numbers = numbers_of(state, proto, np.dtype(type_name(source)))
    if numbers.signed != source.signed:
        raise RefusedError("the type of its zero point", type_name(source), type_name(numbers))
    if numbers != source:
        every = np.arange(1 << source.bits).astype(type_name(source))
        given = read_anew(state, proto, given, every)
    return [replace(given, integer=False)]


def read_anew(state: State, proto: onnx.NodeProto, given: Real, table: NDArray[Any]) -> Real:
    """Return the integers of a map as those of the numbers that a node has: a table of all."""
    operation = Operation(
        kind=Lookup,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(str(given.base),),
        tensor=state.new_name(f"{proto.output[0]}/integers"),
        shape=state.shape_of(given),
        keys={"table": table},
    )
    return table_map(state, proto, replace(given, base=operation))


def type_name(numbers: Numbers) -> str:
    """Return the name of the type of a map."""
    bits = 8 if numbers.bits <= 8 else 16
    return f"{'' if numbers.signed else 'u'}int{bits}"


def image_type(state: State) -> np.dtype:
    """Return the type of an image of integers."""
    return state.image_type or UINT8


def table_map(state: State, proto: onnx.NodeProto, given: Real) -> Real:
    """Append the table of a Gather, whose output is quantized as its reader says."""
    base = given.base
    assert isinstance(base, Operation)
    table = base.keys["table"]
    numbers = numbers_of(state, proto, table.dtype)
    source = state.maps[base.inputs[0]]
    name = base.tensor
    state.grids[name] = numbers
    target = state.refine(name, numbers.map(base.shape), True)
    entries = table.astype(np.int64)

    def look_up(real: Reals) -> Reals:
        integers = np.rint(real / source.scale).astype(np.int64) + source.zero_point
        inside = integers.clip(-len(entries), len(entries) - 1)
        values: Reals = (entries[inside] - target.zero_point) * target.scale
        return values

    node = Lookup(
        name=base.name,
        operator=base.operator,
        inputs=base.inputs,
        output=name,
        function=look_up,
    )
    state.emit(node, target)
    return Real(base=name, places=given.places, integer=True)
