"""Norms without a mean that a file writes out: found, and written as the one node that they are.

x / sqrt(mean(x^2) + eps) * gamma by Pow or Mul, ReduceMean, Add, Sqrt, Div or Reciprocal, and Mul.

Tests: `tests/importers/onnx/test_rms_norm.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from hwgen.importers.onnx.check import node_name, opset_of
from hwgen.importers.onnx.qdq.constants import attributes_of

NODE = "RMSNormalization"
"""The operator of the standard."""
OPSET = 23
"""The first opset that has it."""
DEQUANTIZE = "DequantizeLinear"
HALVING, SQUARING = 0.5, 2.0

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A norm that is written out.

    source: what it normalizes; gamma: its constant, empty: ones; inner: its nodes, the last of
    which writes its result
    """

    source: str
    gamma: str
    eps: float
    inner: tuple[onnx.NodeProto, ...]


@dataclass(kw_only=True)
class Edges:
    """Who makes and who reads each tensor of a graph, and its constants, also dequantized ones."""

    makers: dict[str, onnx.NodeProto]
    readers: Counter[str]
    last_readers: dict[str, onnx.NodeProto]
    stored: dict[str, onnx.TensorProto]
    shapes: Shapes
    scalars: dict[str, float | None] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: onnx.GraphProto, shapes: Shapes) -> "Edges":
        """Return the edges of a graph; shapes: of its tensors where they are known."""
        return cls(
            makers={name: node for node in graph.node for name in node.output},
            readers=Counter(
                [name for node in graph.node for name in node.input]
                + [each.name for each in graph.output]
            ),
            last_readers={name: node for node in graph.node for name in node.input},
            stored={each.name: each for each in graph.initializer},
            shapes=shapes,
        )

    def maker(self, name: str, operator: str) -> onnx.NodeProto | None:
        """Return the node that makes a tensor, if it is of an operator."""
        node = self.makers.get(name)
        return node if node is not None and node.op_type == operator else None

    def array(self, name: str) -> NDArray[Any] | None:
        """Return a tensor that is stored, or that a Constant holds."""
        if name in self.stored:
            return numpy_helper.to_array(self.stored[name])
        node = self.maker(name, "Constant")
        value = None if node is None else attributes_of(node).get("value")
        return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else None

    def scalar(self, name: str) -> float | None:
        """Return the one number of a constant."""
        if name not in self.scalars:
            array = self.array(name)
            self.scalars[name] = (
                float(array.item()) if array is not None and array.size == 1 else None
            )
        return self.scalars[name]

    def is_constant(self, name: str) -> bool:
        """Return whether a tensor is stored, or dequantized from what is."""
        node = self.maker(name, DEQUANTIZE)
        return self.array(node.input[0] if node is not None else name) is not None

    def origin(self, name: str) -> tuple[str, ...]:
        """Return what tells a tensor from others: a file may dequantize one for each reader."""
        node = self.maker(name, DEQUANTIZE)
        return (name,) if node is None else tuple(node.input)

    def with_scalar(self, node: onnx.NodeProto) -> tuple[str, float] | None:
        """Return the other operand and the one number of a node of two operands."""
        for place in (1, 0):
            value = self.scalar(node.input[place])
            if value is not None:
                return node.input[1 - place], value
        return None


def with_norms_whole(
    model: onnx.ModelProto, shapes: Callable[[], Shapes]
) -> tuple[onnx.ModelProto, int]:
    """Return a model whose norms without a mean are one node each, and how many were written out.

    The model itself where there are none. shapes: finds those of its tensors, called only if needed
    """
    squares = {node.op_type for node in model.graph.node} & {"Sqrt", "Pow"}
    if not squares or all(node.op_type != "ReduceMean" for node in model.graph.node):
        return model, 0
    edges = Edges.of(model.graph, shapes())
    ends = {found.inner[-1].output[0]: found for found in norms(model.graph, edges)}
    if not ends:
        return model, 0
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    nodes, added = [], []
    for node in copy.graph.node:
        found = ends.get(node.output[0])
        if found is None:
            nodes.append(node)
            continue
        gamma = found.gamma
        if not gamma:
            gamma = f"{node.output[0]}/ones"
            ones = np.ones(edges.shapes[found.source][-1:], np.float32)
            added.append(numpy_helper.from_array(ones, gamma))
        nodes.append(
            helper.make_node(
                NODE,
                [found.source, gamma],
                [node.output[0]],
                node_name(found.inner[0]),
                axis=-1,
                epsilon=found.eps,
            )
        )
    inner = {node.output[0] for found in ends.values() for node in found.inner[:-1]}
    outputs = {each.name for each in copy.graph.output}
    left = list(without(nodes, inner - outputs))
    del copy.graph.node[:]
    copy.graph.node.extend(left)
    copy.graph.initializer.extend(added)
    return copy, len(ends)


def without(nodes: list[onnx.NodeProto], inner: set[str]) -> Iterator[onnx.NodeProto]:
    """Yield nodes, without those of norms that nothing reads any more."""
    read: set[str] = set()
    kept = []
    for node in reversed(nodes):
        if node.output[0] not in inner or not read.isdisjoint(node.output):
            kept.append(node)
            read.update(node.input)
    yield from reversed(kept)


def norms(graph: onnx.GraphProto, edges: Edges) -> Iterator[Found]:
    """Yield the norms of a graph."""
    for node in graph.node:
        parts = quotient_of(node, edges)
        found = None if parts is None else norm_of(node, *parts, edges)
        if found is not None:
            yield with_gamma(found, edges)


def quotient_of(
    node: onnx.NodeProto, edges: Edges
) -> tuple[str, str, tuple[onnx.NodeProto, ...]] | None:
    """Return what a node divides by a root, what is under the root, and the nodes between."""
    if node.op_type == "Div":
        inner = root_of(node.input[1], edges)
        return None if inner is None else (node.input[0], *inner)
    if node.op_type != "Mul":
        return None
    for place in range(2):
        inner = inverse_root_of(node.input[place], edges)
        if inner is not None:
            return (node.input[1 - place], *inner)
    return None


def root_of(name: str, edges: Edges) -> tuple[str, tuple[onnx.NodeProto, ...]] | None:
    """Return what is under a root, and the node that takes it."""
    node = edges.maker(name, "Sqrt")
    if node is not None:
        return node.input[0], (node,)
    power = edges.maker(name, "Pow")
    if power is not None and edges.scalar(power.input[1]) == HALVING:
        return power.input[0], (power,)
    return None


def inverse_root_of(name: str, edges: Edges) -> tuple[str, tuple[onnx.NodeProto, ...]] | None:
    """Return what is under a root of which a tensor is the inverse, and the nodes between."""
    power = edges.maker(name, "Pow")
    if power is not None and edges.scalar(power.input[1]) == -HALVING:
        return power.input[0], (power,)
    node = edges.maker(name, "Reciprocal")
    if node is None:
        division = edges.maker(name, "Div")
        one = division is not None and edges.scalar(division.input[0]) == 1
        node = division if one else None
    inner = None if node is None else root_of(node.input[-1], edges)
    return None if node is None or inner is None else (inner[0], (*inner[1], node))


def norm_of(
    node: onnx.NodeProto,
    source: str,
    radicand: str,
    inner: tuple[onnx.NodeProto, ...],
    edges: Edges,
) -> Found | None:
    """Return the norm that a node ends, if what is under the root is the mean of its squares."""
    added = edges.maker(radicand, "Add")
    parts = None if added is None else edges.with_scalar(added)
    mean = None if parts is None else edges.maker(parts[0], "ReduceMean")
    if added is None or parts is None or mean is None:
        return None
    rank = len(edges.shapes.get(source, ()))
    if not rank or axis_of(mean, edges, rank) != rank - 1 or not parts[1] > 0:
        return None
    square = edges.makers.get(mean.input[0])
    if square is None or not is_square(square, edges):
        return None
    if edges.origin(square.input[0]) != edges.origin(source):
        return None
    nodes = (square, mean, added, *inner, node)
    return Found(source=source, gamma="", eps=parts[1], inner=nodes)


def is_square(node: onnx.NodeProto, edges: Edges) -> bool:
    """Return whether a node writes the squares of its first input."""
    if node.op_type == "Mul":
        return edges.origin(node.input[0]) == edges.origin(node.input[1])
    return node.op_type == "Pow" and edges.scalar(node.input[1]) == SQUARING


def axis_of(node: onnx.NodeProto, edges: Edges, rank: int) -> int | None:
    """Return the one axis of a tensor of a rank that a ReduceMean takes and keeps; None: others."""
    attributes = attributes_of(node)
    axes = attributes.get("axes")
    if len(node.input) > 1:
        given = edges.array(node.input[1])
        axes = None if given is None else given.reshape(-1).tolist()
    if not rank or axes is None or len(axes) != 1 or not attributes.get("keepdims", 1):
        return None
    return int(axes[0]) % rank


def with_gamma(found: Found, edges: Edges) -> Found:
    """Return a norm with the factors that alone read its result."""
    result, width = found.inner[-1].output[0], edges.shapes[found.source][-1]
    reader = edges.last_readers.get(result)
    if edges.readers[result] != 1 or reader is None or reader.op_type != "Mul":
        return found
    other = reader.input[1] if reader.input[0] == result else reader.input[0]
    sides = edges.shapes.get(other) or tuple(getattr(edges.stored.get(other), "dims", ()))
    if not edges.is_constant(other) or tuple(sides) != (width,):
        return found
    return Found(source=found.source, gamma=other, eps=found.eps, inner=(*found.inner, reader))


def with_norms_as_nodes(model: onnx.ModelProto, shapes: Shapes) -> onnx.ModelProto:
    """Return a model of real numbers with a node for each norm that it writes out.

    Its opset grows to the first that has the node. The model itself where it has no such norm, or
    where it cannot be said in that opset.
    """
    made, count = with_norms_whole(model, lambda: shapes)
    if not count:
        return model
    if opset_of(model) >= OPSET:
        return made
    try:
        newer = onnx.version_converter.convert_version(model, OPSET)
    except Exception:  # the library raises what its adapters raise, of any kind
        return model
    return with_norms_whole(newer, lambda: shapes)[0]
