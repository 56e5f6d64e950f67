"""What of a model is quantized before its calibration: its pairs stay, and all else gets one.

Such as the maps and weights of a Brevitas file, whose head alone has real numbers behind it.

Tests: `tests/importers/onnx/test_calibrate.py`.
"""

from typing import Any

import onnx
from onnx import numpy_helper
from onnxruntime.quantization import QuantType

from hwgen.importers.onnx.qdq.constants import REARRANGING

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
MOVING = REARRANGING | {"MaxPool"}
PASSED = MOVING | {"Clip", "Relu"}
"""Operators that may stand between a layer and its own QuantizeLinear."""
TYPES = {"int8": QuantType.QInt8, "uint8": QuantType.QUInt8}


def nodes_kept(graph: onnx.GraphProto) -> set[str]:
    """Return the names of nodes whose weights are quantized, as is all that they write."""
    constants = {tensor.name for tensor in graph.initializer}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    quantized = {node.output[0] for node in graph.node if node.op_type == QUANTIZE}
    kept = set()
    for node in reversed(graph.node):
        behind = readers.get(node.output[0], [])
        if not behind or any(each.output[0] not in quantized for each in behind):
            continue
        if node.op_type in PASSED:
            quantized.add(node.output[0])
        if node.op_type in PASSED or constants.isdisjoint(node.input):
            kept.add(node.name)
    return kept


def numbers_kept(graph: onnx.GraphProto) -> dict[str, Any]:
    """Return scale, zero point and type of what only moves a map that is quantized."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    numbers: dict[str, Any] = {}
    for node in graph.node:
        if node.op_type in MOVING and node.input[0] in numbers:
            numbers.update(dict.fromkeys(node.output, numbers[node.input[0]]))
        parts = [constants.get(name) for name in node.input[1:3]]
        if node.op_type != DEQUANTIZE or len(parts) < 2 or node.input[0] in constants:
            continue
        scale, zero = (None if each is None else numpy_helper.to_array(each) for each in parts)
        if scale is not None and zero is not None and scale.size == 1 and zero.dtype.name in TYPES:
            one = {"scale": scale.reshape(()), "zero_point": zero.reshape(())}
            numbers[node.output[0]] = {**one, "quant_type": TYPES[zero.dtype.name]}
    made = {node.output[0] for node in graph.node if node.op_type == DEQUANTIZE}
    return {name: [each] for name, each in numbers.items() if name not in made}
