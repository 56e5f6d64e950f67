"""ONNX models that no exporter writes, float for synthesis and quantized for import."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_graphs import conv, model
from tests.quantized_onnx import Model

HUGE = 1 << 62

Make = Callable[[], onnx.ModelProto]


def floating(*nodes: onnx.NodeProto, **options: Any) -> Make:
    """Return what makes a float model of a convolution and some nodes that read it as `a`."""
    return lambda: model(conv("x", "a"), *nodes, **options)


def first(**attributes: Any) -> Make:
    """Return what makes a float model of one convolution."""
    return lambda: model(conv("x", "z", **attributes))


def quantized(operator: str, *others: object, **attributes: Any) -> Make:
    """Return what makes a quantized model of one node; others: its further inputs, int64."""

    def make() -> onnx.ModelProto:
        made = Model()
        inputs = [made.constant(each, np.int64) for each in others]
        return made.build(made.quantized(made.node(operator, made.image(), *inputs, **attributes)))

    return make


def quantized_conv(**attributes: Any) -> Make:
    """Return what makes a quantized model of one convolution of 3 x 3."""

    def make() -> onnx.ModelProto:
        made = Model()
        return made.build(made.quantized(made.conv(made.image(), 4, 3, 3, 3, **attributes)))

    return make


def with_opsets(make: Make, *versions: int) -> Make:
    """Return what makes a model of other versions of the operators."""

    def changed() -> onnx.ModelProto:
        made = make()
        del made.opset_import[:]
        made.opset_import.extend(helper.make_opsetid("", version) for version in versions)
        return made

    return changed


def with_input(make: Make, *sides: int, kind: int = TensorProto.FLOAT) -> Make:
    """Return what makes a model whose image has other sides, or elements of another type."""

    def changed() -> onnx.ModelProto:
        made = make()
        made.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", kind, sides))
        return made

    return changed


def with_stored_weights(made: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model that stores the weights that it declares."""
    for declared in list(made.graph.input)[1:]:
        made.graph.input.remove(declared)
        sides = [side.dim_value for side in declared.type.tensor_type.shape.dim]
        made.graph.initializer.append(
            numpy_helper.from_array(np.zeros(sides, np.float32), declared.name)
        )
    return made


def with_strings(make: Make) -> Make:
    """Return what makes a model whose largest constant holds text."""

    def changed() -> onnx.ModelProto:
        made = with_stored_weights(make())
        largest = max(made.graph.initializer, key=lambda tensor: tensor.ByteSize())
        text = helper.make_tensor(largest.name, TensorProto.STRING, (2,), [b"two", b"words"])
        largest.CopyFrom(text)
        return made

    return changed


def with_sides(make: Make, *sides: int) -> Make:
    """Return what makes a model whose largest constant claims to have other sides."""

    def changed() -> onnx.ModelProto:
        tensors = (made := with_stored_weights(make())).graph.initializer
        max(tensors, key=lambda tensor: tensor.ByteSize()).dims[:] = sides
        return made

    return changed
