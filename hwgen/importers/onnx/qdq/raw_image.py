"""Steps between the raw image and its quantization: they are the host's.

Tests: `tests/importers/onnx/test_casts.py`.
"""

from dataclasses import replace

import numpy as np
import onnx
from numpy.typing import NDArray

from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.arithmetic import normalization_of
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Constant, Image, Reals, Value
from hwgen.network.host import FACTORS, ImageStep, Operation, RawImage, byte_of

PREPROCESSING = frozenset(
    {"Add", "BatchNormalization", "Cast", "Clip", "Div", "Mul", "Round", "Sub"}
)
"""Operators that may stand before the quantization of the image."""

REAL_TYPES = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)

IN_ORDER: dict[str, Operation] = {
    "Add": "add", "Div": "divide", "Mul": "multiply", "Sub": "subtract",
}  # fmt: skip
"""By the operator whose first operand is the image."""

REVERSED: dict[str, Operation] = {"Add": "add", "Mul": "multiply", "Sub": "subtract_from"}
"""By the operator whose second operand is the image."""


def image_step(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read elementwise preprocessing of the image: the network begins behind it."""
    images = [each for each in inputs if isinstance(each, Image)]
    if len(images) != 1 or not all(isinstance(each, Image | Constant) for each in inputs if each):
        raise RefusedError("preprocessing", "of the image and constants", "others")
    image = images[0]
    if proto.op_type == "Cast":
        return [cast(state, proto, image)]
    if image.half:
        raise RefusedError("preprocessing", "in float32, a Cast before it", "float16")
    found = parts(proto, inputs, rank=image.places.ndim)
    steps = [
        ImageStep(
            node=node_name(proto),
            operation=operation,
            values=tuple(float(each) for each in by_channel(state, image, values)),
        )
        for operation, values in found
    ]
    for step in steps:
        if step.operation in FACTORS and 0 in step.values:
            raise RefusedError("its constant", "other than 0", 0)
    return [replace(image, integer=False, steps=(*image.steps, *steps))]


def cast(state: State, proto: onnx.NodeProto, image: Image) -> Image:
    """Return the image as real numbers, or as the integers that it has."""
    kind = next((int(each.i) for each in proto.attribute if each.name == "to"), 1)
    if kind in REAL_TYPES:
        return replace(image, integer=False, half=False)
    if kind == onnx.TensorProto.FLOAT16 and image.half:
        return image
    same = state.image_type is not None and image.integer
    if same and onnx.helper.tensor_dtype_to_np_dtype(kind) == state.image_type:
        return image
    name = onnx.TensorProto.DataType.Name(kind).lower()
    raise RefusedError("its type", "float32, float64 or that of the image", name)


def raw_image_of(state: State) -> RawImage | None:
    """Return what the host does to an image; None where that is its quantization alone."""
    if not state.input:
        return None
    steps, image = state.image.steps, state.maps[state.input]
    cast_bytes = state.image_type is not None and not state.image.integer
    if not steps and not (cast_bytes and (image.scale, image.zero_point) != (1, 0)):
        return None
    integers = state.image_type is not None
    return RawImage(steps=steps, byte=byte_of(steps, image.feature_map(), integers=integers))


def parts(
    proto: onnx.NodeProto, inputs: list[Value | None], *, rank: int
) -> list[tuple[Operation, Reals]]:
    """Return the operations of a node with their constants, which broadcast to the image.

    rank: of the image, the batch included
    """
    constants = [each.array.astype(np.float64) for each in inputs if isinstance(each, Constant)]
    first = isinstance(inputs[0], Image)
    if proto.op_type == "BatchNormalization":
        factor, offset = normalization_of(proto, constants)
        sides = (-1, *(1,) * (rank - 2))
        return [("multiply", factor.reshape(sides)), ("add", offset.reshape(sides))]
    if proto.op_type == "Clip":
        limits: tuple[Operation, Operation] = ("at_least", "at_most")
        pairs = zip(limits, inputs[1:], strict=False)
        return [(name, each.array) for name, each in pairs if isinstance(each, Constant)]
    if proto.op_type == "Round":
        return [("round", np.ones(()))]
    operations = IN_ORDER if first else REVERSED
    if len(constants) != 1 or proto.op_type not in operations:
        raise RefusedError("preprocessing", "of the image, then a constant", "others")
    return [(operations[proto.op_type], constants[0])]


def by_channel(state: State, image: Image, constant: Reals) -> NDArray[np.float32]:
    """Return one constant, or one for each channel of the image."""
    values = np.asarray(constant, np.float32)
    if not np.isfinite(values).all():
        raise RefusedError("its constants", "finite", "others")
    if values.size == 1:
        return values.reshape(1)
    if np.broadcast_shapes(values.shape, image.places.shape) != image.places.shape:
        raise RefusedError("its constant", "one, or one a channel", list(values.shape))
    wide = np.broadcast_to(values, image.places.shape)
    channels = image.places % state.image_shape[2]
    found = np.zeros(state.image_shape[2], np.float32)
    found[channels] = wide
    if (found[channels] != wide).any() or len(np.unique(channels)) < len(found):
        allowed = "one, or one a channel; for others let the network begin behind it"
        raise RefusedError("its constant", allowed, list(values.shape))
    return found
