"""Simplify an integer graph: what the network file has no layer for, or needs none for.

Tests: `tests/importers/integer/test_lower.py`.
"""

from collections.abc import Iterable
from dataclasses import replace

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.expand import expanded
from hwgen.importers.integer.gathered import with_inputs_gathered
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.turns import with_turns_multiplied
from hwgen.importers.integer.views import without_unused, without_views

MOVES = (
    ir.Concatenation
    | ir.Stacking
    | ir.MaxPooling
    | ir.Padding
    | ir.Selection
    | ir.Subsampling
    | ir.Transposition
    | ir.Upsampling
    | ir.View
    | ir.Head
)
"""Nodes that move integers: their output cannot be clipped by itself."""


def folded(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph without heads, unused nodes, foldable paddings and separate activations."""
    for step in (
        without_heads,
        without_unused,
        expanded,
        with_turns_multiplied,
        with_image_shaped,
        without_views,
        with_filters_selected,
        with_paddings_folded,
        with_activations_folded,
        with_inputs_gathered,
    ):
        graph = step(graph)
    return graph


def without_heads(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph whose answers are those before a Softmax: the order of classes is equal."""
    if graph.whole:
        return graph
    outputs = [before_head(graph, name) for name in graph.outputs]
    return replace(graph, outputs=tuple(dict.fromkeys(outputs)))


def heads_left_out(graph: IntegerGraph) -> dict[str, list[ir.Node]]:
    """Return by output of a graph the functions behind the map that the network answers with."""
    found: dict[str, list[ir.Node]] = {}
    for name in graph.outputs:
        behind, answer = name, before_head(graph, name)
        while behind != answer and (node := passing(graph, behind)) is not None:
            behind = node.inputs[0]
            if isinstance(node, ir.Head | ir.SoftmaxOfGroups):
                found.setdefault(name, []).append(node)
    return found


def before_head(graph: IntegerGraph, name: str) -> str:
    """Return the map that a head reads, through what follows the head; else the map itself."""
    behind = name
    while passed := passing(graph, behind):
        behind = passed.inputs[0]
        if isinstance(passed, ir.Head | ir.SoftmaxOfGroups):
            return before_head(graph, behind)
    return name


def passing(graph: IntegerGraph, name: str) -> ir.Node | None:
    """Return the writer of a map if it keeps the order of values: a head, a view, a QUANTIZE."""
    node = graph.writer(name)
    if isinstance(node, ir.Head | ir.SoftmaxOfGroups | ir.View):
        return node
    if not isinstance(node, ir.Requantization) or node.gain != 1 or name not in graph.maps:
        return None
    return node if graph.maps[name].whole else None


def with_image_shaped(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph whose image has the shape in which every node reads it."""
    readers, image = graph.readers(graph.input), graph.maps.get(graph.input)
    shapes = {graph.maps[node.output].shape for node in readers if node.output in graph.maps}
    views = all(isinstance(node, ir.View) for node in readers)
    if image is None or not views or len(shapes) != 1 or graph.input in graph.outputs:
        return graph
    return replace(graph, maps={**graph.maps, graph.input: image.reshaped(shapes.pop())})


def with_filters_selected(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph with a convolution for each part that is read of one: query, key, value."""
    for conv in [node for node in graph.nodes if isinstance(node, ir.Convolution)]:
        readers = graph.readers(conv.output)
        parts = [each for each in readers if isinstance(each, ir.Selection)]
        if not parts or len(parts) < len(readers) or conv.output in graph.outputs:
            continue
        alike = (graph.maps[each.output].same_numbers for each in (conv, *parts))
        if conv.groups > 1 or len(set(alike)) > 1:
            continue
        nodes: list[ir.Node] = []
        maps, whole = dict(graph.maps), graph.maps[conv.output]
        for node in graph.nodes:
            if node in parts:
                assert isinstance(node, ir.Selection)
                chosen = conv.weights.of_filters(node.channels)
                maps[node.output] = within(maps[node.output], whole)
                nodes.append(replace(conv, name=node.name, output=node.output, weights=chosen))
            elif node is not conv:
                nodes.append(node)
        graph = replace(graph, maps=maps, nodes=tuple(nodes))
    return graph


def with_paddings_folded(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph with each padding inside the windows that read it, if all of them can."""
    for pad in [node for node in graph.nodes if isinstance(node, ir.Padding)]:
        readers = graph.readers(pad.output)
        if pad.output in graph.outputs or not readers:
            continue
        merged = [with_padding(graph, reader, pad) for reader in readers]
        if all(merged):
            changes = dict(zip([node.output for node in readers], merged, strict=True))
            graph = replace(
                graph,
                nodes=tuple(
                    changes.get(node.output) or node for node in graph.nodes if node is not pad
                ),
            )
    return graph


def with_padding(graph: IntegerGraph, node: ir.Node, pad: ir.Padding) -> ir.Node | None:
    """Return a node that pads its input by itself; None if that computes something else."""
    before, after = graph.maps.get(pad.inputs[0]), graph.maps.get(pad.output)
    if (
        pad.channels != (0, 0)
        or not isinstance(node, ir.WINDOWS)
        or before is None
        or after is None
    ):
        return None
    top, left, bottom, right = (a + b for a, b in zip(node.padding, pad.sides, strict=True))
    height, width = ir.window_of(node)
    fits = max(top, bottom) < height and max(left, right) < width
    if before.same_numbers != after.same_numbers or not fits:
        return None
    sides: ir.Sides = (top, left, bottom, right)
    match node:
        case ir.MaxPooling() if pad.lowest or (
            before.low >= before.zero_point and not any(node.padding)
        ):
            # Zeros never win against values that are not negative.
            return replace(node, inputs=pad.inputs, padding=sides)
        case ir.AveragePooling() if not pad.lowest and (
            node.counts_padding or not any(node.padding)
        ):
            return replace(node, inputs=pad.inputs, padding=sides, counts_padding=True)
        case ir.Convolution() if not pad.lowest:
            return replace(node, inputs=pad.inputs, padding=sides)
    return None


def with_activations_folded(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph with an activation that stands alone inside the layer before it.

    Only where the quantization stays and nothing else reads the map in between.
    """
    for node in [node for node in graph.nodes if isinstance(node, ir.Requantization)]:
        before, after = graph.maps.get(node.inputs[0]), graph.maps.get(node.output)
        writer = graph.writer(node.inputs[0])
        if before is None or after is None or before.same_numbers != after.same_numbers:
            continue
        if node.gain != 1:
            continue
        if writer is None or isinstance(writer, MOVES | ir.Unsupported):
            continue
        if len(graph.readers(writer.output)) > 1 or writer.output in graph.outputs:
            continue
        nodes = replaced(graph.nodes, node, writer, replace(writer, output=node.output))
        graph = replace(graph, maps={**graph.maps, node.output: within(after, before)}, nodes=nodes)
    return graph


def within(map: QuantizedMap, other: QuantizedMap) -> QuantizedMap:
    """Return a map clipped to the range of another of the same numbers, too."""
    (least, most), (low, high) = other.span, map.span
    low, high = max(least, low) - map.offset, min(most, high) - map.offset
    return replace(map, low=min(low, high), high=high)


def replaced(
    nodes: Iterable[ir.Node], dropped: ir.Node, old: ir.Node, new: ir.Node
) -> tuple[ir.Node, ...]:
    """Return nodes without one, and with another in place of an old one."""
    return tuple(new if node is old else node for node in nodes if node is not dropped)
