"""An image whose channels are quantized apart: the steps of a sequence, each with its own scale.

The network reads one image of integers, scale 1 and zero point 0, and the host quantizes each
channel as its part of the file does. Behind it each part has the numbers of the file again.

Tests: `tests/importers/onnx/test_written_out.py`.
"""

from dataclasses import replace

import onnx

from hwgen.importers.integer.nodes import Lookup
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Image, ImageParts, Numbers, Real, Reals
from hwgen.network.host import ImageStep


def begin_part(state: State, proto: onnx.NodeProto, image: Image, numbers: Numbers) -> Real:
    """Return a part of the image with its own scale and zero point; the first makes the input."""
    if not state.input:
        state.input = f"{state.image_name}/integers"
        whole = replace(numbers, scale=1.0, zero_point=0)
        state.grids[state.input] = whole
        state.maps[state.input] = state.refine(state.input, whole.map(state.image_shape), True)
        state.image = (
            image if image.integer else replace(image, steps=quantization(image, state.parts))
        )
    name = state.new_name(proto.output[0])
    part = state.part(Real(base=state.input, places=image.places, integer=True), proto)
    made = numbers.map(state.shape_of(part))
    node = Lookup(
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(str(part.base),),
        output=name,
        function=lambda integers: in_numbers(integers, numbers),
    )
    state.grids[name] = numbers
    state.emit(node, state.refine(name, made, True))
    return replace(part, base=name)


def in_numbers(integers: Reals, numbers: Numbers) -> Reals:
    """Return the real numbers that integers of a file stand for."""
    return (integers - numbers.zero_point) * numbers.scale


def quantization(image: Image, parts: ImageParts) -> tuple[ImageStep, ...]:
    """Return the steps of the host that make integers of each channel, as QuantizeLinear does."""
    each = parts.numbers
    node = "QuantizeLinear"
    return (
        *image.steps,
        ImageStep(node=node, operation="divide", values=tuple(float(n.scale) for n in each)),
        ImageStep(node=node, operation="round", values=(1.0,)),
        ImageStep(node=node, operation="add", values=tuple(float(n.zero_point) for n in each)),
    )
