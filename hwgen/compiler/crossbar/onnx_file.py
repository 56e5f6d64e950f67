"""Open an ONNX file: which nodes carry the image, and the shape of every tensor.

All work is done on a copy in memory that holds no weights; the user's file and the caller's model
are never changed. Weights may be stored, stored elsewhere (external data, never opened), computed
by nodes, or only declared as inputs of the graph with their shapes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper

from hwgen.compiler.crossbar.operators import ARITHMETIC, OPERATORS, SHAPE_READERS
from hwgen.errors import FormatError
from hwgen.spec.load import shortened

FUSED_KEY = "hwgen.fused_activations"
"""Entry of a model's metadata: "true" when its activations cost nothing under published rules."""

SMALL = 64
"""Elements of a stored tensor that may say a shape, axes or a padding; larger ones are weights."""

MAP_RANK = 4
"""Batch, channels, rows, columns."""

LONGEST_REASON = 240

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class OnnxGraph:
    """What is left of a model when weights and shape arithmetic are gone.

    nodes: those that compute something from the image, in the order of the file
    image: name of the tensor that is the image
    shapes: of all tensors whose every side is known, the batch included
    constants: small stored tensors, flat
    obstacle: why shapes do not follow from each other; empty when they do
    """

    name: str
    source: str
    nodes: tuple[onnx.NodeProto, ...]
    image: str
    shapes: dict[str, Shape]
    constants: dict[str, NDArray[np.generic]]
    obstacle: str
    fused_activations: bool


def read_model(path: Path) -> onnx.ModelProto:
    """Return the model of a file, weights included; nothing outside the file is opened."""
    source = str(path)
    try:
        return onnx.load_model_from_string(path.read_bytes())
    except FileNotFoundError:
        given = "no file"
    except OSError as error:
        given = error.strerror or type(error).__name__
    except DecodeError:
        given = "something else, or a part of one"
    raise FormatError(
        field="the network", allowed="a readable ONNX file", given=given, source=source
    )


def open_model(model: onnx.ModelProto, *, name: str, source: str) -> OnnxGraph:
    """Return the graph of a model, with shapes; the model stays as it is."""
    if not model.graph.node:
        raise FormatError(
            field="the network", allowed="an ONNX model with nodes", given="none", source=source
        )
    check_order(model.graph, source)
    slim, parameters = without_weights(model)
    image = find_image(slim.graph, parameters, source)
    fix_image(image, source)
    nodes = nodes_behind(image.name, slim.graph, source)
    inferred, obstacle = infer(slim, source)
    return OnnxGraph(
        name=name,
        source=source,
        nodes=nodes,
        image=image.name,
        shapes=known_shapes(inferred.graph),
        constants=small_constants(slim.graph),
        obstacle=obstacle,
        fused_activations=any(
            entry.key == FUSED_KEY and entry.value == "true" for entry in model.metadata_props
        ),
    )


def label(node: onnx.NodeProto) -> str:
    """Return how an error calls a node: its name, or its output's, and its operator."""
    operator = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    return f"node {node_name(node)} ({operator})"


def node_name(node: onnx.NodeProto) -> str:
    """Return the name of a node, or of its first output where it has none."""
    return node.name or node.output[0]


def check_order(graph: onnx.GraphProto, source: str) -> None:
    """Every input of a node is stored, declared, or written by a node before it."""
    known = {"", *(tensor.name for tensor in graph.input)}
    known.update(tensor.name for tensor in graph.initializer)
    for node in graph.node:
        if not node.output:
            raise FormatError(
                field="every node", allowed="with an output", given=node.op_type, source=source
            )
        for name in node.input:
            if name not in known:
                raise FormatError(
                    field=f"input {name} of {label(node)}",
                    allowed="stored, declared or written by a node before it (no cycles)",
                    given="none of these",
                    source=source,
                )
        known.update(node.output)


def without_weights(model: onnx.ModelProto) -> tuple[onnx.ModelProto, set[str]]:
    """Return a copy whose weights are declared instead of stored, and the names of the stored.

    It declares no outputs: their shapes may say another batch, and inference finds the right one.
    """
    copy = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = copy.graph
    graph.name = model.graph.name or "graph"
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
    """Whether a tensor may be more than weights, and is in the file."""
    external = tensor.data_location == onnx.TensorProto.EXTERNAL
    return not external and int(np.prod(tensor.dims)) <= SMALL


def find_image(graph: onnx.GraphProto, parameters: set[str], source: str) -> onnx.ValueInfoProto:
    """Return the input that is the image: what nodes read as a map, not as their parameter.

    A graph without stored weights declares them as inputs too. Those of rank 4 that stand where
    a map stands are images; without any, other ranks are; without any, the first of an addition,
    multiplication or matrix product is.
    """
    free: list[onnx.ValueInfoProto] = [
        tensor for tensor in graph.input if tensor.name not in parameters
    ]
    data = [tensor for tensor in free if reads_as_map(tensor, graph.node)]
    images = [tensor for tensor in data if rank(tensor) == MAP_RANK] or data
    if not images:
        summed = {n for node in graph.node if node.op_type in ARITHMETIC for n in node.input}
        images = [tensor for tensor in free if tensor.name in summed][:1]
    if len(images) != 1:
        names = ", ".join(tensor.name for tensor in images) or "none"
        raise FormatError(
            field="the images that the network reads", allowed="one", given=names, source=source
        )
    return images[0]


def reads_as_map(tensor: onnx.ValueInfoProto, nodes: Iterable[onnx.NodeProto]) -> bool:
    """Whether some node reads it as a map."""
    sides = [dim.dim_value for dim in tensor.type.tensor_type.shape.dim]
    wide = len(sides) == MAP_RANK and max(sides[2:]) > 1
    return any(
        wide if node.op_type in ARITHMETIC else node.op_type == "Concat" or place == 0
        for node in nodes
        for place, name in enumerate(node.input)
        if name == tensor.name and node.op_type not in SHAPE_READERS
    )


def rank(tensor: onnx.ValueInfoProto) -> int:
    """Return the number of dimensions, known or not."""
    return len(tensor.type.tensor_type.shape.dim)


def fix_image(image: onnx.ValueInfoProto, source: str) -> None:
    """Set a batch of unknown size to 1; every other side must be known."""
    sides = image.type.tensor_type.shape.dim
    if sides and sides[0].dim_value < 1:
        sides[0].dim_value = 1
    if not sides or any(side.dim_value < 1 for side in sides):
        given = " x ".join(str(side.dim_value or side.dim_param or "?") for side in sides)
        raise FormatError(
            field=f"input {image.name}",
            allowed="of known channels, rows and columns",
            given=given or "nothing",
            source=source,
        )


def nodes_behind(image: str, graph: onnx.GraphProto, source: str) -> tuple[onnx.NodeProto, ...]:
    """Return the nodes that compute with the image; each has an operator that we understand."""
    carried, nodes = {image}, []
    for node in graph.node:
        subgraph = any(attribute.HasField("g") for attribute in node.attribute)  # If, Loop
        if carried.isdisjoint(node.input) and not subgraph:
            continue
        if node.op_type in SHAPE_READERS:
            continue
        if node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx"):
            raise FormatError(
                field=f"the operator of {label(node)}",
                allowed=f"one of {', '.join(sorted(OPERATORS))}",
                given=node.op_type,
                source=source,
            )
        carried.update(name for name in node.output if name)
        nodes.append(node)
    return tuple(nodes)


def infer(model: onnx.ModelProto, source: str) -> tuple[onnx.ModelProto, str]:
    """Return the model with the shapes that follow, and why others do not."""
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise FormatError(
            field="the network", allowed="valid ONNX", given=reason(error), source=source
        ) from None
    inferred, obstacle = model, ""
    for strict in (True, False):
        try:
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=strict, data_prop=True)
            break
        except onnx.shape_inference.InferenceError as error:
            obstacle = reason(error)
    return inferred, obstacle


def reason(error: Exception) -> str:
    """Return what a library complains about, on one line."""
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


def small_constants(graph: onnx.GraphProto) -> dict[str, NDArray[np.generic]]:
    """Return small stored tensors and those of Constant nodes, flat."""
    constants = {
        tensor.name: numpy_helper.to_array(tensor).reshape(-1) for tensor in graph.initializer
    }
    for node in graph.node:
        if node.op_type != "Constant":
            continue
        for attribute in node.attribute:
            value = onnx.helper.get_attribute_value(attribute)
            if not isinstance(value, onnx.TensorProto):
                constants[node.output[0]] = np.asarray(value).reshape(-1)
            elif is_small(value):
                constants[node.output[0]] = numpy_helper.to_array(value).reshape(-1)
    return constants
