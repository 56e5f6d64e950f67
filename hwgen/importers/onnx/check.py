"""Check names, order and operators of an ONNX graph; find the nodes that the image reaches.

Tests: `tests/importers/onnx/test_refusals.py`.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import chain, count
from typing import Any

import onnx

from hwgen.errors import FormatError
from hwgen.importers.onnx.operators import SHAPE_READERS

LOOPS = frozenset({"Loop", "Scan"})
LARGEST = 1 << 26
"""Elements of a tensor at most of a file that a runtime runs."""


def label(node: onnx.NodeProto) -> str:
    """Return the label of a node in errors: its name, or that of its output, and its operator."""
    operator = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    return f"node {node_name(node)} ({operator})"


def node_name(node: onnx.NodeProto) -> str:
    """Return the name of a node, or of its first output where it has none."""
    return node.name or node.output[0]


def name_nodes(graph: onnx.GraphProto) -> None:
    """Name nodes after what they write, unless they have a name and are the first to have it.

    Names are optional, but onnxruntime tells nodes apart by them when it quantizes.
    """
    taken, seen = {node.name for node in graph.node}, {""}
    for node in graph.node:
        if node.name in seen:
            written = next(iter(node.output), node.op_type)
            names = (f"{written}{end}" for end in chain([""], map("/{}".format, count(2))))
            node.name = next(name for name in names if name not in taken)
            taken.add(node.name)
        seen.add(node.name)


def check_names(graph: onnx.GraphProto, source: str) -> None:
    """Refuse names that are not printable: errors and layers use them."""
    names = [tensor.name for tensor in (*graph.input, *graph.initializer)]
    for node in graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output]
    for name in names:
        # Names that are not UTF-8 come as bytes.
        if not isinstance(name, str) or not name.isprintable():
            raise FormatError(
                field="every name", allowed="printable", given=repr(name), source=source
            )


def check_order(graph: onnx.GraphProto, source: str) -> None:
    """Refuse a node whose input is not stored, declared or written by a node before it."""
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


def nodes_behind(image: str, graph: onnx.GraphProto) -> tuple[onnx.NodeProto, ...]:
    """Return the nodes that compute with the image; one with a graph of its own may, too."""
    carried, nodes = {image}, []
    for node in graph.node:
        if carried.isdisjoint(node.input) and not has_graph(node):
            continue
        if node.op_type in SHAPE_READERS:
            continue
        carried.update(name for name in node.output if name)
        nodes.append(node)
    return tuple(nodes)


def check_ends(model: onnx.ModelProto, source: str) -> None:
    """Refuse loops, before a runtime runs them: a loop might never end."""
    graphs: list[Any] = [model.graph, *model.functions]
    for graph in graphs:
        for node in graph.node:
            if node.op_type in LOOPS:
                raise FormatError(
                    field=label(node), allowed="no loop", given=node.op_type, source=source
                )
            graphs += [each.g for each in node.attribute if each.HasField("g")]


def check_sizes(known: Mapping[str, Sequence[int]], source: str) -> None:
    """Refuse tensors that no memory holds, before a runtime computes them; known: shapes."""
    for name, sides in known.items():
        if math.prod(sides) > LARGEST:
            allowed, given = f"of at most {LARGEST:,} elements", " x ".join(map(str, sides))
            raise FormatError(field=f"tensor {name}", allowed=allowed, given=given, source=source)


def has_graph(node: onnx.NodeProto) -> bool:
    """Return whether a node holds a graph of its own: If, Loop, Scan."""
    return any(attribute.HasField("g") for attribute in node.attribute)


def opset_of(model: onnx.ModelProto) -> int:
    """Return the opset of the standard operators; 0 where none is named."""
    versions = (each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    return max(versions, default=0)
