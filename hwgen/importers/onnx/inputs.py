"""Several inputs of a network as one image: states that come from outside, the step of a stream.

A chip has one image. Its channels are the inputs, one behind the other; nodes in front take them
apart again, so that all that reads the network, the runtime included, is given one image.

Tests: `tests/importers/onnx/test_inputs.py`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import onnx
from onnx import helper, numpy_helper

from hwgen.importers.onnx.check import opset_of
from hwgen.importers.onnx.operators import SHAPE_READERS
from hwgen.importers.onnx.token_ids import with_rows_given

AXIS_BY_INPUT = 13
"""Opset from which the sizes of a Split are an input."""
MOST_RANK = 3
"""A picture is no row of values: networks with one have it as their only input."""
PARTED = "/parts"
"""Ends the names of nodes and tensors that are written here."""


@dataclass(frozen=True)
class Joined:
    """A model with one image, and where its inputs lie in it.

    parts: first and last channel (exclusive) of each input of the file; of one input none
    nodes: names of the nodes that take the image apart
    """

    model: onnx.ModelProto
    parts: Mapping[str, tuple[int, int]]
    nodes: frozenset[str] = frozenset()


def joined_inputs(model: onnx.ModelProto) -> Joined:
    """Return a model whose inputs are one image (1, channels); the same where it has one.

    It stays as it is, too, where an input is a picture, no float32, or of unknown sides beside the
    batch: then the reader refuses it.
    """
    model = with_rows_given(model)
    sides = shapes_of_inputs(model)
    if len(sides) < 2 or not all(sides.values()):
        return Joined(model, {})
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    stored = [tensor for tensor in graph.input if tensor.name not in sides]
    image = "+".join(sides)
    sizes = [math.prod(shape) for shape in sides.values()]
    ends = np.cumsum([0, *sizes]).tolist()
    kind = onnx.TensorProto.FLOAT
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info(image, kind, [1, ends[-1]]))
    graph.input.extend(stored)
    flat = {name: name if len(shape) == 2 else f"{name}{PARTED}" for name, shape in sides.items()}
    front = [split(graph, image, list(flat.values()), sizes, opset=opset_of(model))]
    for name, shape in sides.items():
        if flat[name] != name:
            wanted = constant(graph, f"{name}/shape{PARTED}", shape)
            front.append(
                helper.make_node("Reshape", [flat[name], wanted], [name], f"{name}/of{PARTED}")
            )
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*front, *rest])
    parts = dict(zip(sides, pairwise(ends), strict=True))
    return Joined(copy, parts, frozenset(node.name for node in front))


def parts_of(model: onnx.ModelProto) -> dict[str, tuple[int, int]]:
    """Return the first and the last channel (exclusive) of each input that an image holds."""
    image = next((each.name for each in model.graph.input), "")
    first = next((each for each in model.graph.node if image in each.input), onnx.NodeProto())
    names = [name.removesuffix(PARTED) for name in first.output]
    if first.op_type != "Split" or "+".join(names) != image:
        return {}
    sizes = next((list(each.ints) for each in first.attribute if each.name == "split"), [])
    for tensor in model.graph.initializer:
        if tensor.name in first.input[1:]:
            sizes = numpy_helper.to_array(tensor).tolist()
    ends = np.cumsum([0, *sizes]).tolist()
    return dict(zip(names, pairwise(ends), strict=True))


def said_of_inputs(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return a sentence on which channels of the image are which input; none for one input."""
    found = (
        f"{name} (channels {low} to {high - 1})" for name, (low, high) in parts_of(model).items()
    )
    said = ", ".join(found)
    return (f"the image holds the inputs of the file: {said}",) if said else ()


def shapes_of_inputs(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Return the shape of each input that nodes compute with, empty where it cannot be joined.

    A first side that is unknown is the batch, one image; so are sides of its name.
    """
    stored = {tensor.name for tensor in model.graph.initializer}
    read = {
        name
        for node in model.graph.node
        if node.op_type not in SHAPE_READERS
        for name in node.input
    }
    inputs = [each for each in model.graph.input if each.name not in stored and each.name in read]
    all_sides = {each.name: each.type.tensor_type.shape.dim for each in inputs}
    batches = {sides[0].dim_param for sides in all_sides.values() if sides} - {""}
    shapes = {}
    for tensor in inputs:
        sides = all_sides[tensor.name]
        shape = tuple(
            1
            if side.dim_value < 1 and (place == 0 or side.dim_param in batches)
            else side.dim_value
            for place, side in enumerate(sides)
        )
        fits = 2 <= len(shape) <= MOST_RANK and min(shape, default=0) > 0
        real = tensor.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        shapes[tensor.name] = shape if fits and real else ()
    return shapes


def split(
    graph: onnx.GraphProto, image: str, names: list[str], sizes: list[int], *, opset: int
) -> onnx.NodeProto:
    """Return the node that takes the image apart."""
    name = f"{image}/split{PARTED}"
    if opset < AXIS_BY_INPUT:
        return helper.make_node("Split", [image], names, name, axis=1, split=sizes)
    given = constant(graph, f"{image}/sizes{PARTED}", sizes)
    return helper.make_node("Split", [image, given], names, name, axis=1)


def constant(graph: onnx.GraphProto, name: str, values: list[int] | tuple[int, ...]) -> str:
    """Store integers in a graph; return their name."""
    graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
    return name
