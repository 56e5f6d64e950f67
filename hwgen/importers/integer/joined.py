"""Functions of one byte that a file writes as several nodes with a quantization behind each.

Such as a Gelu of Div, Erf, Add and Mul, each between QuantizeLinear and DequantizeLinear: its 256
results, computed node by node as onnxruntime does, are one table.

Tests: `tests/importers/integer/test_pairs.py`.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.constants import whole
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.layers import divided_by_scale
from hwgen.importers.integer.lower_maps import table_of
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.pairs import runtime_product, runtime_sum
from hwgen.importers.integer.views import without_unused
from hwgen.network.maps import BYTE_BITS

Results = NDArray[np.int64]
"""Integers of a map, as the file has them, for each integer of the map at the beginning."""


def with_functions_joined(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph with one table for each function of a byte, as onnxruntime computes it."""
    known: dict[str, tuple[str, Results]] = {}
    nodes: list[ir.Node] = []
    for node in graph.nodes:
        found = function_of(graph, node, known)
        if found is None:
            nodes.append(node)
            continue
        known[node.output] = found
        beginning, results = found
        alone = node.inputs == (beginning,)
        nodes.append(node if alone else table(node, beginning, results))
    return without_unused(replace(graph, nodes=tuple(nodes)))


def table(node: ir.Node, beginning: str, results: Results) -> ir.Lookup:
    """Return the function of a byte that a node ends."""
    return ir.Lookup(
        name=node.name,
        operator=node.operator,
        inputs=(beginning,),
        output=node.output,
        function=np.zeros_like,
        results=results,
    )


def function_of(
    graph: IntegerGraph, node: ir.Node, known: Mapping[str, tuple[str, Results]]
) -> tuple[str, Results] | None:
    """Return the map at the beginning of a function and its results; None for another node."""
    if not isinstance(node, ir.Lookup | ir.Requantization | ir.Addition | ir.Multiplication):
        return None
    maps = [graph.maps.get(name) for name in (*node.inputs, node.output)]
    if any(each is None or each.bits > BYTE_BITS or each.raw for each in maps):
        return None
    *sources, output = (each for each in maps if each is not None)
    begun = [known.get(name) or (name, integers(graph.maps[name])) for name in node.inputs]
    beginnings = {name for name, _ in begun}
    if len(beginnings) > 1 or len({each.shape for each in sources}) > 1:
        return None
    results = results_of(node, sources, output)
    if results is None:
        return None
    places = (values + each.offset for (_, values), each in zip(begun, sources, strict=True))
    return beginnings.pop(), results[*places]


def entries_of(node: ir.Lookup, source: QuantizedMap, output: QuantizedMap) -> Results:
    """Return a function of one map for each of its integers."""
    if node.steps is not None:
        return whole(node.steps(source, output), source)
    entries = table_of(node, source, output, exact=False)[: 1 << source.bits]
    return entries.astype(np.int64) - output.offset


def integers(values: QuantizedMap) -> Results:
    """Return every integer of a map as the file has them."""
    return np.arange(1 << values.bits) - values.offset


def results_of(node: ir.Node, sources: list[QuantizedMap], output: QuantizedMap) -> Results | None:
    """Return what onnxruntime gives for all integers of one map or two; None where unknown."""
    unsigned = [each.unsigned for each in sources]
    match node:
        case ir.Lookup() if node.results is None:
            return entries_of(node, sources[0], output)
        case ir.Requantization() if node.operand is None:
            return divided_by_scale(sources[0], output, node.gain)[1]
        case ir.Multiplication() if node.gain == 1 and node.operator == "Mul":
            return runtime_product(unsigned, output.unsigned) - output.offset
        case ir.Addition() if node.gains == (1, 1) and node.operator == "Add":
            return runtime_sum(unsigned, output.unsigned) - output.offset
    return None
