"""Names of nodes are optional, and several nodes may have one: nothing is found by them."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import distance_from_float, quantized_model
from hwgen.importers.onnx.check import name_nodes
from hwgen.importers.onnx.quantized import integer_graph_of, read_integer_graph
from hwgen.network import QuantizedNetwork
from tests.quantized_onnx import Model, float_conv, saved

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 6, 6, 3), np.uint8)


def renamed(model: onnx.ModelProto, names: str) -> onnx.ModelProto:
    for place, node in enumerate(model.graph.node):
        node.name = {"unique": f"n{place}", "none": "", "same": "x", "half": f"n{place}"}[names]
        if names == "half" and place % 2:
            node.name = ""
    return model


def with_a_silu() -> onnx.ModelProto:
    model = Model((1, 3, 6, 6))
    now = float_conv(model, "x", 4, 3, 3, 3, pads=[1, 1, 1, 1])
    now = model.node("Mul", now, model.node("Sigmoid", now))
    flat = model.node("Flatten", model.node("GlobalAveragePool", now))
    weights = model.constant(model.rng.normal(size=(4, 5)))
    return model.build(model.node("Softmax", model.node("Gemm", flat, weights)))


def numbers_of(network: QuantizedNetwork) -> list[object]:
    """Return all that a network has but names."""
    weights = [each.arrays() for each in network.parameters.values()]
    found: list[object] = [(layer.op, layer.output) for layer in network.layers]
    found += [{key: array.tolist() for key, array in each.items()} for each in weights]
    return [*found, *(table.tolist() for table in network.tables.values())]


@pytest.mark.promise("a float ONNX file needs no names of nodes for `--calibrate`")
@pytest.mark.parametrize("names", ["none", "same", "half"])
def test_a_float_file_needs_no_names(names: str, tmp_path: Path) -> None:
    networks = []
    for each in ("unique", names):
        path = saved(renamed(with_a_silu(), each), tmp_path)
        made = quantized_model(path, IMAGES)
        networks.append(lower(integer_graph_of(made, name="n", source="s")).network)
        assert distance_from_float(path, made, IMAGES)
    assert numbers_of(networks[0]) == numbers_of(networks[1])


@pytest.mark.parametrize("names", ["none", "same", "half"])
def test_a_quantized_file_needs_no_names(names: str, tmp_path: Path) -> None:
    """Two convolutions read one padding, which becomes theirs."""
    networks = []
    for each in ("unique", names):
        model = Model((1, 3, 6, 6))
        pads = model.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
        padded = model.quantized(model.node("Pad", model.image(), pads, model.constant(0.0)))
        parts = [model.quantized(model.conv(padded, 4, 3, 3, 3), 0.2, 90) for _ in range(2)]
        joined = model.quantized(model.node("Concat", *parts, axis=1), 0.2, 90)
        path = saved(renamed(model.build(joined), each), tmp_path)
        networks.append(lower(read_integer_graph(path)).network)
    assert numbers_of(networks[0]) == numbers_of(networks[1])


def test_the_first_node_keeps_its_name() -> None:
    given = (("x", "a"), ("", "x"), ("x", "b"), ("b", "c"), ("b", "d"))
    nodes = [onnx.helper.make_node("Relu", ["i"], [output], name) for name, output in given]
    graph = onnx.helper.make_graph(nodes, "graph", [], [])
    name_nodes(graph)
    assert [node.name for node in graph.node] == ["x", "x/2", "b/2", "b", "d"]
