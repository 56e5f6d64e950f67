"""Quantized operators (QLinearConv and others) as the float operator between Q and DQ.

A reader then knows one style of quantization alone. Names of tensors stay, so that the maps of the
file are found in its runtime.

Tests: `tests/importers/onnx/test_kept.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import onnx
from onnx import helper

from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of

DROPPED = frozenset({"channels_last", "opset"})
"""Attributes of quantized operators that the float ones do not have."""


@dataclass(frozen=True)
class Form:
    """Where a quantized operator has its inputs.

    operator: the float one
    maps: first places of triples (tensor, scale, zero point); output: place of the output's pair
    weights: place of a triple of constants, None: there is none; axis: of its scales
    bias: place of int32 in steps of the scales of the first map and the weights
    """

    operator: str
    maps: tuple[int, ...] = (0,)
    output: int = 3
    weights: int | None = None
    axis: int = 0
    bias: int | None = None


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "QGemm": Form("Gemm", output=7, weights=3, bias=6),
        "QLinearAdd": Form("Add", maps=(0, 3), output=6),
        "QLinearAveragePool": Form("AveragePool"),
        "QLinearConcat": Form("Concat", output=0),
        "QLinearConv": Form("Conv", output=6, weights=3, bias=8),
        "QLinearGlobalAveragePool": Form("GlobalAveragePool"),
        "QLinearLeakyRelu": Form("LeakyRelu"),
        "QLinearMatMul": Form("MatMul", output=6, weights=3, axis=-1),
        "QLinearMul": Form("Mul", maps=(0, 3), output=6),
        "QLinearReduceMean": Form("ReduceMean"),
        "QLinearSigmoid": Form("Sigmoid"),
        "QLinearSoftmax": Form("Softmax"),
    }
)
"""By the name of the quantized operator."""

DYNAMIC = frozenset(
    {
        "ConvInteger", "DynamicQuantizeLSTM", "DynamicQuantizeLinear", "DynamicQuantizeMatMul",
        "MatMulInteger", "MatMulIntegerToFloat",
    }
)  # fmt: skip
"""Operators of maps whose scale follows from each image."""


def in_qdq_style(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model without quantized operators; those that cannot be written so stay."""
    if FORMS.keys().isdisjoint(node.op_type for node in model.graph.node):
        return model
    nodes = [each for node in model.graph.node for each in expanded(node)]
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    return copy


def expanded(node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """Yield the nodes in place of one."""
    form, given = FORMS.get(node.op_type), attributes_of(node)
    if form is None or given.get("channels_last", 0) or len(node.input) < form.output + 2:
        yield node
        return
    if node.op_type == "QLinearConcat":
        form = Form("Concat", maps=tuple(range(2, len(node.input), 3)), output=0)
    parts = Parts(node)
    reals = [parts.real(place) for place in form.maps]
    if form.weights is not None:
        axis = form.axis if node.op_type != "QGemm" or given.get("transB", 0) else 1
        reals.append(parts.real(form.weights, axis=axis))
        if form.bias is not None and parts.has(form.bias):
            reals.append(parts.bias(form.bias, node.input[1], node.input[form.weights + 1]))
    attributes = {key: value for key, value in given.items() if key not in DROPPED}
    if node.op_type == "QGemm":
        attributes["beta"] = given.get("alpha", 1.0)
    yield from parts.nodes
    real = f"{node.output[0]}/real"
    yield helper.make_node(form.operator, reals, [real], node_name(node), **attributes)
    grid = node.input[form.output : form.output + 2]
    yield helper.make_node("QuantizeLinear", [real, *grid], list(node.output), f"{node_name(node)}")


class Parts:
    """The nodes before the float operator."""

    def __init__(self, node: onnx.NodeProto) -> None:
        self._node = node
        self.nodes: list[onnx.NodeProto] = []

    def has(self, place: int) -> bool:
        """Return whether an input is present."""
        return place < len(self._node.input) and bool(self._node.input[place])

    def real(self, place: int, **attributes: Any) -> str:
        """Append the reading of a triple of inputs as real numbers."""
        return self._dequantized(list(self._node.input[place : place + 3]), place, **attributes)

    def bias(self, place: int, map_scale: str, weight_scale: str) -> str:
        """Append the reading of the bias."""
        scale = f"{self._node.output[0]}/bias_scale"
        name = node_name(self._node)
        self.nodes.append(helper.make_node("Mul", [map_scale, weight_scale], [scale], name))
        return self._dequantized([self._node.input[place], scale], place, axis=0)

    def _dequantized(self, inputs: list[str], place: int, **attributes: Any) -> str:
        name = f"{self._node.output[0]}/input_{place}"
        node = helper.make_node(
            "DequantizeLinear", inputs, [name], node_name(self._node), **attributes
        )
        self.nodes.append(node)
        return name
