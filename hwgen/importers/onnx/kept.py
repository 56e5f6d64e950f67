"""Which operators of a quantized ONNX file onnxruntime keeps in float32: its own graph tells.

Where onnxruntime has an integer kernel, it replaces a node and the quantizations around it by that
kernel when it optimizes the graph. What still stands between a DequantizeLinear and a
QuantizeLinear afterwards is computed in float32, and rounds as no integer layer does.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import onnx

from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.session_graph import optimized, place_of

EXACT = frozenset(
    {
        "Cast", "Clip", "Concat", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather",
        "GlobalMaxPool", "Identity", "MaxPool", "Neg", "Pad", "ReduceMax", "Relu", "ReorderInput",
        "ReorderOutput", "Reshape", "Resize", "Slice", "SpaceToDepth", "Split", "Squeeze",
        "Tile", "Transpose", "Unsqueeze", "Upsample",
    }
)  # fmt: skip
"""Operators that compute no new numbers: float32 and integers give the same elements.

Those that reorder are onnxruntime's own, around a node whose channels it takes in blocks.
"""
HELD = frozenset({"LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"})
"""Operators whose float32 operations the network file states one by one, in the same order."""
INSIDE = frozenset({"QLinearAveragePool"})
"""Operators between integers that onnxruntime computes in float32 all the same."""
ANEW = frozenset({"MatMulNBits"})
"""Operators of real inputs and integer weights that quantize the inputs in blocks of their own."""
FUSED, QUANTIZED = "Fused", "QLinear"
"""Begin the names of operators of onnxruntime: with an activation inside, between integers."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What onnxruntime does not compute with the integers of a file.

    real: nodes of each operator of the file that it computes in float32 between integers
    anew: names of nodes whose real inputs it quantizes anew
    """

    real: Mapping[str, int]
    anew: tuple[str, ...]


def kept_in_float32(model: onnx.ModelProto, source: str) -> Kept:
    """Return what onnxruntime does not compute with the integers of a file.

    model: the whole file, weights included; source: its path, for messages. Steps before the first
    quantization and behind the last are none. Raises FormatError for a model that onnxruntime does
    not open.
    """
    nodes = {str(place): node for place, node in enumerate(model.graph.node)}
    makers = {name: place for place, node in nodes.items() for name in node.output}
    graph = optimized(model, source, "all").graph
    found: dict[str, str] = {}
    anew = []
    for node in [
        *between_quantizations(graph),
        *(each for each in graph.node if each.op_type in ANEW),
    ]:
        place = place_of(node, nodes, makers)
        if node.op_type in ANEW:
            anew += [node_name(nodes[place])] if place in nodes else []
        elif place:
            operator = nodes[place].op_type if place in nodes else node.op_type.removeprefix(FUSED)
            found[place] = operator
    kept = Counter(each.removeprefix(QUANTIZED) for each in found.values())
    real = {operator: kept[operator] for operator in sorted(kept.keys() - EXACT - HELD)}
    return Kept(real=real, anew=tuple(dict.fromkeys(anew)))


def places_in_float32(model: onnx.ModelProto, source: str) -> set[int]:
    """Return the places of the nodes of a model that are not exact in onnxruntime's integers."""
    nodes = {str(place): node for place, node in enumerate(model.graph.node)}
    makers = {name: place for place, node in nodes.items() for name in node.output}
    found = set()
    for node in between_quantizations(optimized(model, source, "all").graph):
        place = place_of(node, nodes, makers)
        if place in nodes and nodes[place].op_type.removeprefix(QUANTIZED) not in EXACT | HELD:
            found.add(int(place))
    return found


def between_quantizations(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yield the nodes that compute in float32 between integers of maps, the last first."""
    wanted: set[str] = set()
    for node in reversed(behind_integers(graph)):
        if node.op_type == "QuantizeLinear":
            wanted.update(node.input)
        elif not wanted.isdisjoint(node.output):
            wanted.update(node.input)
            if node.op_type not in EXACT:
                yield node
        elif node.op_type in INSIDE:
            yield node


def behind_integers(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes that read real numbers of a map that was quantized, in order."""
    moving = {each.name for each in graph.input} - {tensor.name for tensor in graph.initializer}
    real: set[str] = set()
    found = []
    for node in graph.node:
        if moving.isdisjoint(node.input):
            continue
        moving.update(node.output)
        reads = not real.isdisjoint(node.input)
        if reads or node.op_type in INSIDE:
            found.append(node)
        writes = reads and node.op_type != "QuantizeLinear"
        if writes or node.op_type == "DequantizeLinear":
            real.update(node.output)
    return found
