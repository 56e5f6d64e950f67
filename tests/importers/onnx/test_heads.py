"""Attention of drawn heads: norms of queries and keys a head, and splits of each head."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from hwgen.dbpim.compiler.remarks import layer_remarks
from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.network import QuantizedNetwork
from tests.quantized_onnx import differing, saved

OPSET = 23
"""The first with RMSNormalization."""


class Graph:
    """Nodes and constants of a float model."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, *given: str, **keys: Any) -> str:
        """Add a node of one output."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, given, [name], name, **keys))
        return name

    def constant(self, values: Any) -> str:
        """Add a constant."""
        array = np.asarray(values)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weights(self, *shape: int) -> str:
        """Add drawn weights."""
        return self.constant(self.draw.normal(size=shape) / np.sqrt(np.prod(shape[1:])))

    def quantized(
        self, image: tuple[int, ...], answer: str, images: np.ndarray, folder: Path
    ) -> tuple[QuantizedNetwork, Path]:
        """Return the network of the calibrated model, and its file."""
        kind = onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes,
            "g",
            [helper.make_tensor_value_info("x", kind, image)],
            [helper.make_tensor_value_info(answer, kind, None)],
            self.constants,
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=10)
        path = saved(quantized_model(saved(model, folder), images), folder)
        return lower(read_integer_graph(path), kernels="onnxruntime").network, path


@pytest.mark.promise("norms of queries and keys a head are read of --calibrate, and run on a chip")
@pytest.mark.parametrize("seed", range(4))
def test_norms_a_head(seed: int, tmp_path: Path) -> None:
    graph = Graph(seed)
    draw = graph.draw
    heads, width, tokens = int(draw.integers(1, 4)), 8 * int(draw.integers(1, 4)), 2 + seed % 4
    channels = heads * width
    kind = ("RMSNormalization", "LayerNormalization")[seed % 2]

    def projected() -> str:
        made = graph.node("MatMul", "x", graph.weights(channels, channels))
        split = graph.node("Reshape", made, graph.constant([1, tokens, heads, width]))
        return graph.node("Transpose", split, perm=[0, 2, 1, 3])

    def normed(given: str) -> str:
        return graph.node(kind, given, graph.constant(draw.normal(1.0, 0.2, width)), axis=-1)

    query, key, value = normed(projected()), normed(projected()), projected()
    turned = graph.node("Transpose", key, perm=[0, 1, 3, 2])
    scores = graph.node("Mul", graph.node("MatMul", query, turned), graph.constant(0.25))
    mixed = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), value)
    whole = graph.node("Transpose", mixed, perm=[0, 2, 1, 3])
    rows = graph.node("Reshape", whole, graph.constant([1, tokens, channels]))
    answer = graph.node("MatMul", rows, graph.weights(channels, 5))
    images = draw.normal(size=(8, tokens, 1, channels)).astype(np.float32)
    network, path = graph.quantized((1, tokens, channels), answer, images, tmp_path)
    norms = [each for each in network.layers if each.op == "layer_norm"]
    assert [each.output.shape for each in norms] == [(tokens, 1, channels)] * 2
    assert [len(network.arrays_of(each.name)["gamma"]) for each in norms] == [width] * 2
    assert differing(path) <= 1
    refused = [each for each in layer_remarks(network).values() if each.startswith("no:")]
    assert not refused or (heads > 1 and width % 16), refused


@pytest.mark.promise("queries, keys and values that a file splits in each head are read")
@pytest.mark.parametrize("seed", range(4))
def test_a_split_of_each_head(seed: int, tmp_path: Path) -> None:
    """As YOLO has it: channels of values times shares of tokens, in planes."""
    graph = Graph(seed)
    draw = graph.draw
    heads, keys, values = (int(each) for each in draw.integers(1, 4, 3))
    keys, values = 8 * keys, 8 * values
    height, width = int(draw.integers(1, 4)), int(draw.integers(2, 4))
    pixels, each = height * width, 2 * keys + values
    made = graph.node("Conv", "x", graph.weights(heads * each, 6, 1, 1))
    split = graph.node("Reshape", made, graph.constant([1, heads, each, pixels]))
    query, key, value = (f"part{n}" for n in range(3))
    graph.nodes.append(
        helper.make_node(
            "Split", [split, graph.constant([keys, keys, values])], [query, key, value], axis=2
        )
    )
    turned = graph.node("Transpose", query, perm=[0, 1, 3, 2])
    scores = graph.node("Mul", graph.node("MatMul", turned, key), graph.constant(0.25))
    shares = graph.node("Softmax", scores, axis=-1)
    mixed = graph.node("MatMul", value, graph.node("Transpose", shares, perm=[0, 1, 3, 2]))
    planes = graph.node("Reshape", mixed, graph.constant([1, heads * values, height, width]))
    answer = graph.node("Conv", planes, graph.weights(5, heads * values, 1, 1))
    images = draw.normal(size=(8, height, width, 6)).astype(np.float32)
    network, path = graph.quantized((1, 6, height, width), answer, images, tmp_path)
    assert [each.op for each in network.layers].count("matmul") == 2
    assert {each.op for each in network.layers} <= {"conv", "matmul", "rescale", "softmax"}
    assert differing(path) <= 1
    assert not [each for each in layer_remarks(network).values() if each.startswith("no:")]
