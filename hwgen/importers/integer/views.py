"""Read a map in the shape that it has: reshapings are dropped, and their readers turned to fit.

A reshaping keeps the order of the elements. So a map may keep its shape if every reader is written
for that shape: a sequence may lie along rows or columns, what computes each element or each pixel
alone reads any shape, and a small convolution over a vector is a fully connected layer.

Tests: `tests/importers/integer/test_pairs.py`.
"""

import math
from dataclasses import replace
from typing import Any

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap, Shape
from hwgen.importers.integer.weights import dense

DENSE_LIMIT = 1 << 20
"""Weights at most of a fully connected layer that is made of a convolution."""

Made = tuple[ir.Node, Shape]
"""A node for the shapes that its inputs have, and the shape of its output."""


def without_views(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph without the reshapings that no reader needs."""
    maps, roots = dict(graph.maps), dict[str, str]()
    nodes: list[ir.Node] = []
    for given in graph.nodes:
        if is_identity(graph, given):
            roots[given.output] = roots.get(given.inputs[0], given.inputs[0])
            nodes.append(replace(given, inputs=(roots[given.output],)))
            continue
        known = all(name in maps for name in (*given.inputs, given.output))
        pair = known and isinstance(given, ir.Addition | ir.Multiplication | ir.SquaredDifference)
        graph, node = (
            with_constant_shaped(graph, maps, roots, given, nodes) if pair else (graph, given)
        )
        made = fitted(graph, maps, roots, node) if known else None
        if made is not None:
            nodes.append(made[0])
            maps[node.output] = maps[node.output].reshaped(made[1])
            continue
        inputs = []
        for name in node.inputs:
            before = graph.maps.get(name)
            if before and name in maps and name not in roots and maps[name].shape != before.shape:
                inputs.append(f"{name}/{node.name}")
                maps[inputs[-1]] = before
                nodes.append(view(node, name, inputs[-1]))
            else:
                inputs.append(name)
        nodes.append(replace(node, inputs=tuple(inputs)))
    outputs = tuple(dict.fromkeys(roots.get(name, name) for name in graph.outputs))
    return without_unused(replace(graph, maps=maps, nodes=tuple(nodes), outputs=outputs))


def with_constant_shaped(
    graph: IntegerGraph,
    maps: dict[str, QuantizedMap],
    roots: dict[str, str],
    node: ir.Node,
    nodes: list[ir.Node],
) -> tuple[IntegerGraph, ir.Node]:
    """Return a node of each element whose constant map has the shape that its other map holds.

    The constant is appended once more in that shape: in order its elements are the same.
    """
    said = [graph.maps[name] for name in node.inputs]
    names = [roots.get(name, name) for name in node.inputs]
    if said[0].shape != said[1].shape:
        return graph, node
    for place, name in enumerate(names):
        shape = maps[names[1 - place]].shape
        writer = graph.writer(name)
        if isinstance(writer, ir.ConstantMap) and maps[name].shape != shape:
            made = f"{name}/{node.name}"
            maps[made] = maps[name].reshaped(shape)
            nodes.append(replace(writer, output=made, integers=writer.integers.reshape(shape)))
            inputs = tuple(made if each == place else node.inputs[each] for each in (0, 1))
            graph = replace(graph, maps={**graph.maps, made: said[place]})
            return graph, replace(node, inputs=inputs)
    return graph, node


def view(reader: ir.Node, source: str, output: str) -> ir.View:
    """Return a reshaping before a node."""
    return ir.View(name=reader.name, operator=reader.operator, inputs=(source,), output=output)


def without_unused(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph without nodes that no output needs."""
    needed, nodes = set(graph.outputs), []
    for node in reversed(graph.nodes):
        if node.output in needed:
            needed.update(node.inputs)
            nodes.append(node)
    return replace(graph, nodes=tuple(reversed(nodes)))


def is_identity(graph: IntegerGraph, node: ir.Node) -> bool:
    """Return whether a node keeps every integer, and perhaps changes the shape."""
    if not isinstance(node, ir.View) and not (
        isinstance(node, ir.Requantization) and node.gain == 1
    ):
        return False
    before, after = graph.maps.get(node.inputs[0]), graph.maps.get(node.output)
    if before is None or after is None or before.same_numbers != after.same_numbers:
        return False
    if math.prod(before.shape) != math.prod(after.shape):
        return False
    return isinstance(node, ir.View) or after.holds(before)


def fitted(
    graph: IntegerGraph, maps: dict[str, QuantizedMap], roots: dict[str, str], node: ir.Node
) -> Made | None:
    """Return a node that reads its maps before reshapings; None if it needs them reshaped.

    maps: with the shapes that they have by now; those of the graph are the ones that the file says
    """
    said = [graph.maps.get(name, maps[name]).shape for name in node.inputs]
    held = [maps[roots.get(name, name)].shape for name in node.inputs]
    output = graph.maps[node.output].shape
    plain = replace(node, inputs=tuple(roots.get(name, name) for name in node.inputs))
    if said == held or isinstance(plain, ir.FullyConnected | ir.View | ir.Head):
        return plain, output
    shape = element_shape(plain, said, held)
    if shape is not None:
        return plain, shape
    if len(held) != 1:
        return None
    return (
        global_pool(plain, said[0], held[0])
        or turned(plain, said[0], held[0], output)
        or as_matrix(plain, said[0], output)
    )


def element_shape(node: ir.Node, said: list[Shape], held: list[Shape]) -> Shape | None:
    """Return the output's shape of a node that computes each element or each pixel alone."""
    if isinstance(node, ir.Lookup | ir.Requantization):
        return held[0]
    if isinstance(node, ir.Addition | ir.SquaredDifference):
        return held[0] if len(set(held)) == 1 else None
    if any(a[2] != b[2] for a, b in zip(said, held, strict=True)):
        return None
    if isinstance(node, ir.Stacking | ir.MatrixProduct):
        return token_shape(node, held)
    if isinstance(node, ir.Multiplication):
        larger, other = sorted(held, key=math.prod, reverse=True)
        return larger if other in (larger, (1, 1, larger[2])) else None
    channels = pixel_channels(node, held)
    return None if channels is None else (*held[0][:2], channels)


def token_shape(node: ir.Stacking | ir.MatrixProduct, held: list[Shape]) -> Shape:
    """Return the output's shape of a node that reads the pixels of its maps row after row."""
    pixels = [math.prod(shape[:2]) for shape in held]
    if isinstance(node, ir.MatrixProduct):
        return (*held[0][:2], node.groups * pixels[1] if node.transposed else held[1][2])
    widths = {shape[1] for shape in held}
    width = widths.pop() if len(widths) == 1 else 1
    return sum(pixels) // width, width, held[0][2]


def pixel_channels(node: ir.Node, held: list[Shape]) -> int | None:
    """Return the output's channels of a node that computes each pixel alone; None for another."""
    match node:
        case ir.PerChannel() | ir.SoftmaxOfGroups() | ir.LayerNormalization():
            return held[0][2]
        case ir.Selection():
            return len(node.channels)
        case ir.Padding() if node.sides == ir.NO_PADDING:
            return sum(node.channels) + held[0][2]
        case ir.Convolution() if is_pixelwise(node):
            return len(node.weights.integers)
        case ir.Concatenation() if len({shape[:2] for shape in held}) == 1:
            return sum(shape[2] for shape in held)
    return None


def is_pixelwise(node: ir.Convolution) -> bool:
    """Return whether a convolution reads the pixel of its own position alone."""
    return ir.window_of(node) == node.stride == (1, 1) and node.padding == ir.NO_PADDING


def global_pool(node: ir.Node, said: Shape, held: Shape) -> Made | None:
    """Return a pooling over all rows and columns for another shape of its map."""
    if not isinstance(node, ir.AveragePooling | ir.MaxPooling) or said[2] != held[2]:
        return None
    if node.kernel != said[:2] or node.padding != ir.NO_PADDING:
        return None
    return replace(node, kernel=held[:2], stride=(1, 1)), (1, 1, held[2])


def turned(node: ir.Node, said: Shape, held: Shape, output: Shape) -> Made | None:
    """Return a node over a sequence with rows and columns exchanged."""
    sequence = 1 in said[:2] and 1 in output[:2]
    if not sequence or held != (said[1], said[0], said[2]):
        return None
    shape = (output[1], output[0], output[2])
    made = turned_node(node)
    return None if made is None else (made, shape)


def turned_node(node: ir.Node) -> ir.Node | None:
    """Return a node with rows and columns exchanged; None for one that has neither."""
    if isinstance(node, ir.Padding):
        return replace(node, sides=turned_sides(node.sides))
    if isinstance(node, ir.Subsampling):
        return replace(node, stride=node.stride[::-1])
    if isinstance(node, ir.Upsampling):
        return replace(node, factor=node.factor[::-1])
    if not isinstance(node, ir.WINDOWS):
        return None
    window: dict[str, Any] = {"stride": node.stride[::-1], "padding": turned_sides(node.padding)}
    if isinstance(node, ir.Convolution):
        integers = node.weights.integers.transpose(0, 2, 1, 3)
        weights = replace(node.weights, integers=integers)
        return replace(node, weights=weights, dilation=node.dilation[::-1], **window)
    return replace(node, kernel=node.kernel[::-1], **window)


def turned_sides(sides: ir.Sides) -> ir.Sides:
    """Return padding with rows and columns exchanged."""
    top, left, bottom, right = sides
    return left, top, right, bottom


def as_matrix(node: ir.Node, said: Shape, output: Shape) -> Made | None:
    """Return a small convolution as a fully connected layer, which reads any shape."""
    if not isinstance(node, ir.Convolution) or math.prod(said) * math.prod(output) > DENSE_LIMIT:
        return None
    made = ir.FullyConnected(
        name=node.name,
        operator=node.operator,
        inputs=node.inputs,
        output=node.output,
        weights=dense(node, said, output),
    )
    return made, (1, 1, math.prod(output))
