"""The shape of every tensor of an ONNX model, found without its weights.

All work is done on a copy in memory that holds no weights; the caller's model is never changed.
Weights may be stored, stored elsewhere (external data, never opened), computed by nodes, or only
declared as inputs of the graph with their shapes.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import numpy_helper

from hwgen.errors import FormatError
from hwgen.spec.graph import Shape
from hwgen.spec.load import shortened

SMALL = 64
"""Elements at most of a tensor that may give a shape, axes or pads; larger ones are weights."""

LONGEST_REASON = 240

Integers = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Shapes and constants of a model without its weights.

    known: shapes of tensors whose every side is known, the batch included
    constants: small stored tensors of integers, flat
    obstacle: why shape inference failed; empty if it did not
    """

    known: dict[str, Shape]
    constants: dict[str, Integers]
    obstacle: str


def shapes_of(slim: onnx.ModelProto, source: str) -> Shapes:
    """Return the shapes of a model without weights, as `without_weights` makes it."""
    inferred, obstacle = infer(slim, source)
    return Shapes(
        known=known_shapes(inferred.graph),
        constants=small_constants(slim.graph),
        obstacle=obstacle,
    )


def without_weights(model: onnx.ModelProto) -> tuple[onnx.ModelProto, set[str]]:
    """Return a copy whose weights are declared instead of stored, and the names of stored tensors.

    The copy declares no outputs: their shapes may give another batch, and inference finds them.
    """
    copy = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = copy.graph
    graph.name = "graph"
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    declared = {tensor.name for tensor in graph.input}
    for tensor in model.graph.initializer:
        if is_small(tensor):
            graph.initializer.append(tensor)
        elif tensor.name not in declared:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    return copy, {tensor.name for tensor in model.graph.initializer}


def is_small(tensor: onnx.TensorProto) -> bool:
    """Return whether a tensor may give a shape, axes or pads, and is stored in the file."""
    external = tensor.data_location == onnx.TensorProto.EXTERNAL
    whole = tensor.data_type in (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
    return whole and not external and 0 <= int(np.prod(tensor.dims)) <= SMALL


def infer(model: onnx.ModelProto, source: str) -> tuple[onnx.ModelProto, str]:
    """Return the model with inferred shapes, and the reason if some could not be inferred."""
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, UnicodeError) as error:
        raise FormatError(
            field="the network", allowed="valid ONNX", given=reason(error), source=source
        ) from None
    inferred, obstacle = model, ""
    for strict in (True, False):
        try:
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=strict, data_prop=True)
            break
        except (onnx.shape_inference.InferenceError, UnicodeError) as error:
            obstacle = reason(error)
    return inferred, obstacle


def reason(error: Exception) -> str:
    """Return the message of a library's error, on one line."""
    return shortened(" ".join(str(error).split()), longest=LONGEST_REASON)


def known_shapes(graph: onnx.GraphProto) -> dict[str, Shape]:
    """Return the shapes of tensors whose every side is known."""
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for info in (*graph.input, *graph.value_info):
        tensor = info.type.tensor_type
        sides = tuple(side.dim_value for side in tensor.shape.dim)
        if tensor.HasField("shape") and all(side > 0 for side in sides):
            shapes[info.name] = sides
    return shapes


def small_constants(graph: onnx.GraphProto) -> dict[str, Integers]:
    """Return small stored tensors and those of Constant nodes, flat."""
    constants = {tensor.name: flat(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "Constant":
            continue
        for attribute in node.attribute:
            if attribute.name == "value" and is_small(attribute.t):
                constants[node.output[0]] = flat(attribute.t)
            elif attribute.name == "value_ints":
                constants[node.output[0]] = tuple(attribute.ints)
    return constants


def flat(tensor: onnx.TensorProto) -> Integers:
    """Return the values of a small tensor."""
    return tuple(int(value) for value in numpy_helper.to_array(tensor).reshape(-1))
