"""The shape of every tensor of an ONNX model, found without its weights.

All work is done on a copy in memory that holds no weights; the caller's model is never changed.
Weights may be stored, stored elsewhere (external data, never opened), computed by nodes, or only
declared as inputs of the graph with their shapes.

Tests: `tests/importers/onnx/test_refusals.py`.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from hwgen.errors import FormatError
from hwgen.files.load import shortened
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.qdq.constants import COMPUTED, computed
from hwgen.network.operations import Shape

SMALL = 4096
"""Elements at most of a tensor that may give a shape, axes, pads or places; larger: weights."""

GROWING = frozenset({"ConstantOfShape", "Expand"})
"""Operators whose last input is the shape of their output, which may be large: weights."""

FEW = 8
"""Elements at most of real numbers on the way from shapes to sizes."""

LEAST_IR_VERSION = 4
"""The first in which stored tensors need not be declared as inputs."""

LONGEST_REASON = 240

Integers = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Shapes and constants of a model without its weights.

    known: shapes of tensors whose every side is known, the batch included
    constants: small tensors of integers, flat: stored ones, and what shapes and these give
    obstacle: why shape inference failed; empty if it did not
    """

    known: dict[str, Shape]
    constants: dict[str, Integers]
    obstacle: str


def shapes_of(slim: onnx.ModelProto, source: str) -> Shapes:
    """Return the shapes of a model without weights, as `without_weights` makes it.

    Exporters compute sizes by nodes, from the shapes of maps, where a person would write a number.
    What follows from known shapes is stored, and with it more shapes are inferred, and so on.
    """
    opset = max((each.version for each in slim.opset_import if not each.domain), default=1)
    model = slim
    while True:
        inferred, obstacle = infer(model, source)
        known = known_shapes(inferred.graph)
        arrays = small_arrays(model.graph, known, opset)
        fresh = {
            name: arrays[name]
            for node in model.graph.node
            for name in node.output
            if node.op_type != "Constant" and name in arrays and arrays[name].dtype.kind in "iu"
        }
        if not fresh:
            break
        model = with_constants(model, fresh)
    constants = {
        name: tuple(int(value) for value in array.reshape(-1))
        for name, array in arrays.items()
        if array.dtype.kind in "iu"
    }
    return Shapes(known=known, constants=constants, obstacle=obstacle)


def with_constants(model: onnx.ModelProto, fresh: dict[str, NDArray[Any]]) -> onnx.ModelProto:
    """Return a copy in which tensors are stored that nodes computed."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.ir_version = max(model.ir_version, LEAST_IR_VERSION)
    nodes = [node for node in copy.graph.node if fresh.keys().isdisjoint(node.output)]
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    copy.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in fresh.items()
    )
    return copy


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
    return is_whole(tensor) and not external and 0 <= int(np.prod(tensor.dims)) <= SMALL


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
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=strict)
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


def small_arrays(
    graph: onnx.GraphProto, known: dict[str, Shape], opset: int
) -> dict[str, NDArray[Any]]:
    """Return small tensors: stored, of Constant nodes, or computed from shapes and from these."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        for name, array in zip(node.output, values_of(node, arrays, known, opset), strict=False):
            if name and array.size <= (SMALL if array.dtype.kind in "iu" else FEW):
                arrays[name] = array
    return arrays


def values_of(
    node: onnx.NodeProto, arrays: dict[str, NDArray[Any]], known: dict[str, Shape], opset: int
) -> list[NDArray[Any]]:
    """Return the outputs of a node that shapes and known arrays give; nothing for another one."""
    if node.op_type == "Shape":
        if node.input[0] not in known:
            return []
        given = {each.name: each.i for each in node.attribute}
        shape = known[node.input[0]]
        return [np.array(shape[given.get("start", 0) : given.get("end", len(shape))], np.int64)]
    inputs = [arrays.get(name) if name else None for name in node.input]
    missing = any(name and array is None for name, array in zip(node.input, inputs, strict=True))
    if missing or not is_arithmetic(node, inputs):
        return []
    try:
        return computed(node, inputs, opset)
    except RefusedError:
        return []


def is_arithmetic(node: onnx.NodeProto, inputs: list[NDArray[Any] | None]) -> bool:
    """Return whether a node may be on the way from shapes to sizes, with few numbers."""
    if node.op_type not in COMPUTED or node.domain not in ("", "ai.onnx"):
        return False
    if node.op_type == "Constant":
        return any(is_small_value(each) for each in node.attribute)
    if node.op_type == "ConstantOfShape" and not any(is_whole(each.t) for each in node.attribute):
        return False
    last = inputs[-1] if inputs else None
    if node.op_type not in GROWING or last is None:
        return True
    return bool(math.prod(last.reshape(-1).tolist()) <= SMALL)


def is_whole(tensor: onnx.TensorProto) -> bool:
    """Return whether a tensor holds integers as shapes do."""
    return tensor.data_type in (onnx.TensorProto.INT32, onnx.TensorProto.INT64)


def is_small_value(attribute: onnx.AttributeProto) -> bool:
    """Return whether an attribute of a Constant holds few numbers in the file itself."""
    if attribute.name == "value":
        external = attribute.t.data_location == onnx.TensorProto.EXTERNAL
        return not external and 0 <= int(np.prod(attribute.t.dims)) <= SMALL
    return attribute.name in ("value_int", "value_ints", "value_float", "value_floats")
