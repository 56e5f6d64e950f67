"""An int32 bias of a layer with weights, which onnxruntime takes for steps of its sums.

So do its operators of integers. That of a Gemm or MatMul does whatever scale and zero point the
file gives to the bias, that of a convolution where the scale is nearly that of its sums. A session
without optimization takes the bias as it is written.

Tests: `tests/importers/onnx/test_session.py`.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.weights import STEP_TOLERANCE

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
CARRIED = frozenset({"MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"})
"""Operators across which a session carries a pair, so that a Gemm behind them reads integers."""
BYTES = ("uint8", "int8")
RELATIVE, ABSOLUTE = 1e-2, 1e-6
"""Distance at most of the scale of a convolution's bias from that of its sums."""
WORDS = ("uint16", "int16")

Numbers = tuple[np.float32, int, np.dtype[Any]]
"""Scale, zero point and type of a pair."""


def with_integer_biases(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose biases have the scales of their sums; the same where none moves."""
    graph = Edges.of(model.graph)
    moved = [with_integer_bias(graph, node) for node in list(graph.nodes.values())]
    if not any(moved):
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.node[:]
    copy.graph.node.extend(graph.nodes.values())
    copy.graph.initializer.extend(graph.added)
    return copy


@dataclass(kw_only=True)
class Edges:
    """The nodes of a graph, and who writes and reads each tensor.

    nodes: in order, by the name of their first output
    readers: by name of a tensor, a node once for each input
    constants: stored tensors; outputs: names of those of the graph; added: new constants
    """

    outputs: frozenset[str]
    constants: dict[str, onnx.TensorProto]
    nodes: dict[str, onnx.NodeProto] = field(default_factory=dict)
    readers: dict[str, list[onnx.NodeProto]] = field(default_factory=dict)
    added: list[onnx.TensorProto] = field(default_factory=list)

    @classmethod
    def of(cls, graph: onnx.GraphProto) -> "Edges":
        """Return the edges of a graph, with nodes of its own."""
        edges = cls(
            outputs=frozenset(tensor.name for tensor in graph.output),
            constants={tensor.name: tensor for tensor in graph.initializer},
        )
        for given in graph.node:
            node = onnx.NodeProto()
            node.CopyFrom(given)
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                edges.constants[node.output[0]] = node.attribute[0].t
            edges.nodes[node.output[0]] = node
            for name in node.input:
                edges.readers.setdefault(name, []).append(node)
        return edges

    def readers_of(self, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
        """Return who reads what a node writes; None for an output of the graph."""
        name = node.output[0]
        return None if name in self.outputs else self.readers.get(name, [])

    def only_reader(self, node: onnx.NodeProto, *operators: str) -> onnx.NodeProto | None:
        """Return the reader of what a node writes, if there is only one and of an operator."""
        readers = self.readers_of(node)
        if readers is None or len(readers) != 1 or readers[0].op_type not in operators:
            return None
        return readers[0]

    def array(self, name: str) -> NDArray[Any] | None:
        """Return a stored tensor of the file; None: it is none, or lies elsewhere."""
        tensor = self.constants.get(name)
        if tensor is None or tensor.data_location == onnx.TensorProto.EXTERNAL:
            return None
        try:
            return numpy_helper.to_array(tensor)
        except (LookupError, ValueError, TypeError, RuntimeError):
            return None  # the reader says what is wrong with it

    def store(self, name: str, array: Any) -> str:
        """Store a new constant, and return its name."""
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        self.added.append(self.constants[name])
        return name

    def numbers(self, node: onnx.NodeProto) -> Numbers | None:
        """Return what a pair quantizes with; None unless scale and zero point are stored, one."""
        parts = [self.array(name) for name in node.input[1:3]]
        if len(parts) < 2 or any(each is None or each.size != 1 for each in parts):
            return None
        scale, zero = (each.reshape(()) for each in parts if each is not None)
        if scale.dtype != np.float32 or zero.dtype.name not in (*BYTES, *WORDS):
            return None
        return np.float32(scale), int(zero), zero.dtype


def with_integer_bias(graph: Edges, node: onnx.NodeProto) -> bool:
    """Give the bias of a layer the scale of its sums where a session adds its integers.

    Return whether that moves elements: the file gives another scale, or a zero point.
    """
    taken = takes_steps_of_sums(graph, node)
    if taken is None:
        return False
    last, name = taken.reader, f"{taken.reader.output[0]}/bias"
    parts = [
        graph.store(f"{name}/integers", taken.integers),
        graph.store(f"{name}/scale", np.broadcast_to(taken.scales, taken.integers.shape)),
    ]
    real = helper.make_node(DEQUANTIZE, parts, [f"{name}/real"], node_name(last), axis=0)
    graph.nodes = {real.output[0]: real, **graph.nodes}
    last.input[taken.place] = real.output[0]
    return True


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A bias that a session takes for steps of other scales than the file gives.

    reader: adds it; place: among its inputs; scales: of the sums
    """

    reader: onnx.NodeProto
    place: int
    integers: NDArray[Any]
    scales: NDArray[np.float32]

    @property
    def bias(self) -> str:
        """Name of the bias."""
        return str(self.reader.input[self.place])


def takes_steps_of_sums(graph: Edges, node: onnx.NodeProto) -> Taken | None:
    """Return the bias of a layer whose elements a session moves; None of another."""
    last, place = node, 2
    if node.op_type == "MatMul":
        add = graph.only_reader(node, "Add")
        if add is None:
            return None
        last, place = add, 1 - list(add.input).index(node.output[0])
    elif node.op_type not in ("Conv", "Gemm") or len(node.input) < 3 or not is_plain(node):
        return None
    given, scales = bias_of(graph, last.input[place]), sum_scales(graph, node)
    if given is None or scales is None or not adds_integers(graph, last):
        return None
    integers, steps, zeros = given
    apart = node.op_type == "Conv" and (zeros.any() or not nearly(steps, scales))
    if apart or len({integers.size, steps.size, scales.size} - {1}) > 1:
        return None
    whole = integers.size >= scales.size
    if whole and not zeros.any() and np.allclose(steps, scales, rtol=STEP_TOLERANCE, atol=0):
        return None
    wide = np.broadcast_to(integers, max(integers.size, scales.size))
    return Taken(reader=last, place=place, integers=wide, scales=scales)


def nearly(steps: NDArray[Any], scales: NDArray[Any]) -> bool:
    """Return whether onnxruntime takes the scales of a bias for those of a convolution's sums."""
    sizes = {steps.size, scales.size} - {1}
    return len(sizes) < 2 and np.allclose(steps, scales, rtol=RELATIVE, atol=ABSOLUTE)


def is_plain(gemm: onnx.NodeProto) -> bool:
    """Return whether a Gemm has no factors."""
    given = attributes_of(gemm)
    return float(given.get("alpha", 1.0)) == 1 and float(given.get("beta", 1.0)) == 1


def bias_of(graph: Edges, name: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None:
    """Return integers of a bias, (outputs,) or one, its scales and zero points; None for another.

    Only of stored int32 behind a DequantizeLinear.
    """
    node = graph.nodes.get(name)
    if node is None or node.op_type != DEQUANTIZE:
        return None
    integers, scales, *zeros = (graph.array(each) for each in node.input)
    if integers is None or scales is None or integers.dtype != np.int32:
        return None
    if integers.size != max(integers.shape, default=1):
        return None
    zero = zeros[0] if zeros and zeros[0] is not None else np.zeros(1)
    return integers.reshape(-1), scales.reshape(-1), zero


def sum_scales(graph: Edges, node: onnx.NodeProto) -> NDArray[np.float32] | None:
    """Return the scales of the sums of a product of bytes, (outputs,) or one; None of another."""
    source, weights = (graph.nodes.get(name) for name in node.input[:2])
    while source is not None and source.op_type in CARRIED:
        source = graph.nodes.get(source.input[0])
    if source is None or weights is None or {source.op_type, weights.op_type} != {DEQUANTIZE}:
        return None
    numbers, scales = graph.numbers(source), graph.array(weights.input[1])
    integers = graph.array(weights.input[0])
    if numbers is None or numbers[2].name not in BYTES or scales is None:
        return None
    sums = (scales.reshape(-1) * numbers[0]).astype(np.float32)
    if integers is None or integers.ndim < 2 or (node.op_type != "Conv" and integers.ndim > 2):
        return sums
    first = node.op_type == "Conv" or attributes_of(node).get("transB", 0)
    outputs = integers.shape[0 if first else 1]
    return np.broadcast_to(sums, outputs) if sums.size in (1, outputs) else None


def adds_integers(graph: Edges, last: onnx.NodeProto) -> bool:
    """Return whether a session has an operator of integers for a product that ends with a node.

    It has if a QuantizeLinear alone reads it, behind a clip that the quantization makes idle, or
    if none reads it.
    """
    clip = graph.only_reader(last, "Clip", "Relu")
    if clip is not None and len(graph.readers_of(clip) or ()) == 1:
        behind = graph.only_reader(clip, QUANTIZE)
        return behind is not None and is_idle(graph, clip, behind)
    readers = graph.readers.get(last.output[0], [])
    quantized = any(node.op_type == QUANTIZE for node in readers)
    if last.op_type == "Conv" and not quantized:
        return False
    return not quantized or (len(readers) == 1 and last.output[0] not in graph.outputs)


def is_idle(graph: Edges, clip: onnx.NodeProto, behind: onnx.NodeProto) -> bool:
    """Return whether the integers of a QuantizeLinear clip as much as the node before it."""
    numbers = graph.numbers(behind)
    if numbers is None:
        return False
    scale, zero, kind = numbers
    ends: list[NDArray[Any] | None] = [np.zeros(()), np.array(np.inf)]
    if clip.op_type == "Clip":
        free = (-np.inf, np.inf)
        given = [*clip.input[1:3], "", ""][:2]
        ends = [
            graph.array(name) if name else np.array(end)
            for name, end in zip(given, free, strict=True)
        ]
    if any(end is None or end.size != 1 for end in ends):
        return False
    low, high = (np.rint(float(end.reshape(())) / scale) + zero for end in ends if end is not None)
    return bool(low <= np.iinfo(kind).min and high >= np.iinfo(kind).max)
