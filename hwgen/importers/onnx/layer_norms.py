"""Norms over one axis that a float file writes out, as the one node that they are.

(x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps), with or without factors and offsets of that axis.
Of another axis than the last, as that of the channels of a map, the node stands between Transposes.

Tests: `tests/importers/onnx/test_layer_norms.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from hwgen.importers.onnx.check import opset_of
from hwgen.importers.onnx.rms_norm import Edges, axis_of, is_square, quotient_of, without

NODE, OPSET = "LayerNormalization", 17
"""The operator of the standard, and the first opset that has it."""


@dataclass(frozen=True, kw_only=True)
class Norm:
    """A norm that is written out; last: the node that ends it.

    source: what it normalizes, of sides `sides`, over `axis`; gamma, beta: constants, empty: none
    """

    source: str
    sides: tuple[int, ...]
    axis: int
    eps: float
    inner: tuple[onnx.NodeProto, ...]
    gamma: str = ""
    beta: str = ""

    @property
    def result(self) -> str:
        """The tensor that it writes."""
        return str(self.inner[-1].output[0])


def with_layer_norms(model: onnx.ModelProto, known: Mapping[str, tuple[int, ...]]) -> None:
    """Write each norm that a float model writes out as one node; known: shapes of its tensors."""
    if opset_of(model) < OPSET or all(node.op_type != "ReduceMean" for node in model.graph.node):
        return
    graph, edges = model.graph, Edges.of(model.graph, known)
    found = [norm for node in graph.node if (norm := norm_at(node, edges)) is not None]
    ends = {norm.result: norm for norm in found}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        norm = ends.get(node.output[0])
        nodes += [node] if norm is None else as_nodes(norm, edges, graph)
    inner = {name for norm in found for node in norm.inner[:-1] for name in node.output}
    kept = list(without(nodes, inner - {each.name for each in graph.output}))
    del graph.node[:]
    graph.node.extend(kept)


def norm_at(node: onnx.NodeProto, edges: Edges) -> Norm | None:
    """Return the norm whose quotient a node is, with the factors and offsets behind it."""
    parts = quotient_of(node, edges)
    if parts is None:
        return None
    centred, radicand, between = parts
    added, subtracted = edges.maker(radicand, "Add"), edges.maker(centred, "Sub")
    if added is None or subtracted is None or (split := edges.with_scalar(added)) is None:
        return None
    variance, mean = (edges.maker(each, "ReduceMean") for each in (split[0], subtracted.input[1]))
    source = subtracted.input[0]
    if variance is None or mean is None or mean.input[0] != source or not split[1] > 0:
        return None
    square = edges.makers.get(variance.input[0])
    sides = tuple(edges.shapes.get(source, ()))
    axes = {axis_of(each, edges, len(sides)) for each in (variance, mean)}
    if square is None or not is_square(square, edges) or square.input[0] != centred:
        return None
    axis = axes.pop()
    if axes or axis is None:
        return None
    nodes = (mean, subtracted, square, variance, added, *between, node)
    norm = Norm(source=source, sides=sides, axis=axis, eps=split[1], inner=nodes)
    return with_constant(with_constant(norm, "Mul", edges), "Add", edges)


def with_constant(norm: Norm, operator: str, edges: Edges) -> Norm:
    """Return a norm with the constant of its axis that alone reads its result: Mul, or Add."""
    reader = edges.last_readers.get(norm.result)
    if edges.readers[norm.result] != 1 or reader is None or reader.op_type != operator:
        return norm
    other = reader.input[1] if reader.input[0] == norm.result else reader.input[0]
    array = edges.array(other)
    if array is None:
        return norm
    wide = (1,) * (len(norm.sides) - array.ndim) + array.shape
    alone = all(side == 1 for axis, side in enumerate(wide) if axis != norm.axis)
    if not alone or wide[norm.axis] != norm.sides[norm.axis]:
        return norm
    inner = (*norm.inner, reader)
    return replace(norm, inner=inner, **{"gamma" if operator == "Mul" else "beta": other})


def as_nodes(norm: Norm, edges: Edges, graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes in the place of a norm; its constants are stored."""
    name, width, rank = norm.result, norm.sides[norm.axis], len(norm.sides)
    inputs = []
    for key, given in (("gamma", norm.gamma), ("beta", norm.beta)):
        array = edges.array(given) if given else None
        fill = np.full(width, key == "gamma")
        values = (fill if array is None else array).reshape(width).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(values, f"{name}/{key}"))
        inputs.append(f"{name}/{key}")
    keys: dict[str, Any] = {"axis": -1, "epsilon": norm.eps}
    last = [each for each in range(rank) if each != norm.axis]
    order, back = [*last, norm.axis], [*range(norm.axis), rank - 1, *range(norm.axis, rank - 1)]
    if norm.axis == rank - 1:
        return [helper.make_node(NODE, [norm.source, *inputs], [name], f"{name}/norm", **keys)]
    turned, found = f"{name}/turned", f"{name}/normed"
    return [
        helper.make_node("Transpose", [norm.source], [turned], turned, perm=order),
        helper.make_node(NODE, [turned, *inputs], [found], found, **keys),
        helper.make_node("Transpose", [found], [name], f"{name}/back", perm=back),
    ]
