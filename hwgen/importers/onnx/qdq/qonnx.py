"""QONNX: each Quant as the QuantizeLinear, Clip and DequantizeLinear that mean the same.

A Quant is y = (clip(round(x / scale + zero point)) - zero point) * scale, of integers of any number
of bits (github.com/fastmachinelearning/qonnx, docs/qonnx-custom-ops/intquant_op.md). No runtime
has it; rewritten, a file is one that every reader here and onnxruntime know. Names of tensors stay.

Tests: `tests/importers/onnx/test_qonnx.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import check_names, check_order, has_graph, node_name
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.inputs import joined_inputs
from hwgen.importers.onnx.qdq.constants import COMPUTED, LARGEST_MOVED, computed
from hwgen.importers.onnx.qdq.integer_bias import Edges, takes_steps_of_sums
from hwgen.importers.onnx.qdq.quant import QUANT, Quant, parts_of, quant_of
from hwgen.importers.onnx.read import opened
from hwgen.importers.onnx.shapes import infer

QONNX_DOMAINS = ("qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas")
"""Of QONNX's own operators, by the age of the tool that wrote them."""
ADDED = frozenset({"Add", "Sub"})
BIASED = frozenset({"Conv", "ConvTranspose", "Gemm"})
PRODUCTS = BIASED | {"MatMul"}
BIAS = 2
"""Place of the bias in the inputs of `BIASED`."""
DAMAGED = (ArithmeticError, LookupError, TypeError, ValueError)
"""What attributes and tensors raise that contradict the standard; a reader says which do."""


def is_qonnx(model: onnx.ModelProto) -> bool:
    """Return whether a model has nodes of QONNX."""
    return any(node.domain in QONNX_DOMAINS for node in model.graph.node)


def read_quantized_model(path: Path) -> onnx.ModelProto:
    """Return the model of a file with its weights, and without a Quant that can be rewritten."""
    return without_quants(joined_inputs(read_whole_model(path)).model, str(path))


def without_quants(model: onnx.ModelProto, source: str) -> onnx.ModelProto:
    """Return a model in which pairs stand for Quants; a Quant that has none stays.

    `quant.refusal_of` says why it stays. Raises FormatError for a model that is damaged.
    """
    if not is_qonnx(model):
        return model
    check_names(model.graph, source)
    check_order(model.graph, source)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    rewriting = Rewriting(copy)
    nodes = [each for node in model.graph.node for each in rewriting.of(node)]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(rewriting.added)
    keep_what_is_read(graph)
    if not is_qonnx(copy):
        kept = [each for each in copy.opset_import if each.domain not in QONNX_DOMAINS]
        del copy.opset_import[:]
        copy.opset_import.extend(kept)
    _, _ = infer(opened(copy, source).slim, source)
    with_real_biases(graph, {tensor.name for tensor in rewriting.added})
    return copy


def keep_what_is_read(graph: onnx.GraphProto) -> None:
    """Drop stored tensors that no node reads, and the declaration of the others as inputs.

    A runtime takes a declared one for an input, whose numbers may change.
    """
    read = {name for node in graph.node for name in node.input}
    read |= {tensor.name for tensor in graph.output}
    nested = any(has_graph(node) for node in graph.node)
    stored = {tensor.name for tensor in graph.initializer}
    kept = [each for each in graph.initializer if nested or each.name in read]
    free = [each for each in graph.input if each.name not in stored]
    del graph.initializer[:], graph.input[:]
    graph.initializer.extend(kept)
    graph.input.extend(free)


def with_real_biases(graph: onnx.GraphProto, made: set[str]) -> None:
    """Store the real numbers of an integer bias that a session takes for steps of its sums.

    Only where these are others than the steps of the Quant; made: names of new constants.
    """
    edges = Edges.of(graph)
    for node in list(edges.nodes.values()):
        found = takes_steps_of_sums(edges, node)
        pair = None if found is None else edges.nodes.get(found.bias)
        if pair is None or pair.input[0] not in made:
            continue
        integers, scales = (edges.array(name) for name in pair.input[:2])
        if integers is None or scales is None:
            continue
        (place,) = (place for place, each in enumerate(graph.node) if pair.output[0] in each.output)
        del graph.node[place]
        real = integers.astype(np.float32) * scales
        graph.initializer.append(numpy_helper.from_array(real, pair.output[0]))


class Rewriting:
    """The rewriting of one model; added: constants that its new nodes read."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.added: list[onnx.TensorProto] = []
        graph = model.graph
        opsets = [each.version for each in model.opset_import if each.domain in ("", "ai.onnx")]
        self._opset = max(opsets, default=1)
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        self._arrays: dict[str, NDArray[Any]] = {}
        self._left = LARGEST_MOVED
        self._biases = biases_of(graph)
        self._finest = weights_of_real_biases(graph)
        self._apart = quantized_anew(graph)
        self._names = {name for node in graph.node for name in (*node.input, *node.output)}
        self._names.update(self._stored)

    def of(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """Yield the nodes in place of one."""
        if node.domain in QONNX_DOMAINS:
            try:
                yield from self._pair(node)
                return
            except (RefusedError, *DAMAGED):
                pass
        self._compute(node)
        yield node

    def _pair(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        arrays = [self._array(name) for name in node.input]
        given = arrays[0] if arrays else None
        quant = quant_of(node, arrays, bias=node.output[0] in self._biases)
        return self._of_map(node, quant) if given is None else self._of_constant(node, quant, given)

    def _of_map(self, node: onnx.NodeProto, quant: Quant) -> list[onnx.NodeProto]:
        """Return the pair of a map, with a Clip where its integers are fewer than the bytes.

        A Clip also keeps a session from joining it with a pair of other numbers behind it.
        """
        result, name = node.output[0], node_name(node)
        scale, zero = quant.scales.reshape(()), quant.byte_zeros.reshape(())
        grid = [self._store(f"{result}/scale", scale), self._store(f"{result}/zero_point", zero)]
        integers = self._name(f"{result}/integers")
        nodes = [helper.make_node("QuantizeLinear", [node.input[0], *grid], [integers], name)]
        if not quant.whole or result in self._apart:
            integers, clip = self._clip(result, integers, quant, name)
            nodes.append(clip)
        name = f"{name}/dequantize"
        nodes.append(helper.make_node("DequantizeLinear", [integers, *grid], [result], name))
        return nodes

    def _of_constant(
        self, node: onnx.NodeProto, quant: Quant, given: NDArray[Any]
    ) -> list[onnx.NodeProto]:
        """Return the DequantizeLinear of the integers of a constant: bytes, of a bias int32.

        A Clip says where weights have fewer bits than bytes.
        """
        result = node.output[0]
        bias, finest = result in self._biases, result in self._finest
        parts, axis = parts_of(quant, given, bias=bias, finest=finest)
        names = [self._store(f"{result}/{part}", array) for part, array in parts.items()]
        real = (quant.steps(given.astype(np.float32)) - quant.zeros) * quant.scales
        self._arrays[result] = real.astype(np.float32)
        along: dict[str, Any] = {} if axis is None else {"axis": axis}
        nodes = []
        if not (bias or finest or quant.whole):
            names[0], clip = self._clip(result, names[0], quant, node_name(node))
            nodes.append(clip)
        last = helper.make_node("DequantizeLinear", names, [result], node_name(node), **along)
        return [*nodes, last]

    def _clip(
        self, result: str, integers: str, quant: Quant, name: str
    ) -> tuple[str, onnx.NodeProto]:
        """Return what a Clip to the integers of a Quant writes, and the Clip."""
        ends = [
            self._store(f"{result}/{end}", np.array(value, quant.type))
            for end, value in (("low", quant.low), ("high", quant.high))
        ]
        clipped = self._name(f"{result}/clipped")
        return clipped, helper.make_node("Clip", [integers, *ends], [clipped], f"{name}/clip")

    def _array(self, name: str) -> NDArray[Any] | None:
        """Return a tensor that does not depend on the image; None: it does, or is not whole."""
        if name in self._stored and name not in self._arrays:
            tensor = self._stored[name]
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                return None
            try:
                self._arrays[name] = numpy_helper.to_array(tensor)
            except (*DAMAGED, RuntimeError):
                return None  # the reader says what is wrong with it
        return self._arrays.get(name)

    def _compute(self, node: onnx.NodeProto) -> None:
        """Remember what a node computes of constants: an exporter may leave a scale to nodes."""
        known = all(not name or self._array(name) is not None for name in node.input)
        plain = node.domain in ("", "ai.onnx") and node.op_type in COMPUTED and not has_graph(node)
        if not known or not plain or node.op_type == "Shape" or self._left < 0:
            return
        inputs = [self._array(name) if name else None for name in node.input]
        try:
            results = computed(node, inputs, self._opset)
        except (RefusedError, *DAMAGED):
            return
        self._left -= sum(each.size for each in results)
        self._arrays.update(zip(node.output, results, strict=False))

    def _store(self, wanted: str, values: Any) -> str:
        name = self._name(wanted)
        self.added.append(numpy_helper.from_array(np.array(values), name))
        return name

    def _name(self, wanted: str) -> str:
        """Return a name that no tensor of the model has."""
        name = wanted
        while name in self._names:
            name += "_"
        self._names.add(name)
        return name


def biases_of(graph: onnx.GraphProto) -> set[str]:
    """Return the names of what a product adds, or an Add or Sub behind one."""
    found: set[str] = set()
    products: set[str] = set()
    for node in graph.node:
        if node.op_type in BIASED:
            found.update(node.input[BIAS:])
        elif node.op_type in ADDED and not products.isdisjoint(node.input):
            found.update(node.input)
        if node.op_type in PRODUCTS:
            products.update(node.output)
    return found - {""}


def weights_of_real_biases(graph: onnx.GraphProto) -> set[str]:
    """Return the names of weights whose products add a stored bias of real numbers.

    A session rounds such a bias to steps of the sums, which are coarse where weights have few bits.
    """
    stored = {tensor.name for tensor in graph.initializer}
    weights: dict[str, str] = {}
    turned: dict[str, str] = {}
    found: set[str] = set()
    for node in graph.node:
        if node.op_type in BIASED and stored.intersection(node.input[BIAS:]):
            found.add(node.input[1])
        elif node.op_type == "MatMul":
            weights[node.output[0]] = node.input[1]
        elif node.op_type == "Transpose":
            turned[node.output[0]] = node.input[0]
        elif node.op_type in ADDED and not stored.isdisjoint(node.input):
            found.update(weights[name] for name in node.input if name in weights)
    return {turned.get(name, name) for name in found}


def quantized_anew(graph: onnx.GraphProto) -> set[str]:
    """Return the names of what a Quant writes and another one reads that has other numbers."""
    quants = [node for node in graph.node if node.domain in QONNX_DOMAINS and node.op_type in QUANT]
    makers = {name: node for node in quants for name in node.output}
    pairs = [
        (makers[node.input[0]], node) for node in quants if set(node.input[:1]) & makers.keys()
    ]
    return {
        node.input[0]
        for maker, node in pairs
        if maker.input[1:] != node.input[1:] or list(maker.attribute) != list(node.attribute)
    }
