"""A graph becomes an ONNX file that reads back, or one sentence."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.errors import FormatError
from hwgen.importers.onnx import graph_of, model_of, read_graph, write_graph
from hwgen.network.operations import Graph
from tests.onnx_graphs import conv, model, node


def read(*nodes: object) -> Graph:
    made = model(
        *nodes,
        weights={"grouped": (8, 2, 3, 3), "m": (256, 10), "b": (10,)},
        constants={"s": [1, 4, 64], "f": [1, 256]},
    )
    return graph_of(made, name="n", source="here")


@pytest.mark.promise(
    "a graph of ONNX says what the file leaves implicit, and reads back from what is written"
)
def test_windows_and_matrices_read_back(tmp_path: Path) -> None:
    graph = read(
        conv("x", "a", "grouped", group=2, pads=[2, 2, 1, 1], dilations=[2, 2], strides=[1, 1]),
        node("Relu", "a", "r"),
        node("AveragePool", "r", "p", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 0, 1]),
        node("MaxPool", "x", "q", kernel_shape=[2, 2]),
        node("Add", "x x", "t"),
        node("GlobalAveragePool", "t", "g"),
        node("Flatten", "x", "v"),
        node("Gemm", "v m b", "z"),
    )
    graph = replace(graph, notes={"hwgen.fused_activations": "true"})
    path = tmp_path / "deep" / "n.onnx"
    write_graph(graph, path)
    assert read_graph(path) == replace(graph, source=str(path))


@pytest.mark.parametrize(
    ("given", "shape"), [({"transA": 1}, (1, 3)), ({"transB": 1}, (3, 4)), ({}, (4, 3))]
)
def test_matrices_that_are_transposed(given: dict[str, int], shape: tuple[int, int]) -> None:
    made = model(node("Gemm", "x m", "z", **given), image=(1, 4), weights={"m": shape})
    attributes = model_of(graph_of(made, name="n", source="here")).graph.node[0].attribute
    assert {each.name: each.i for each in attributes} == given


@pytest.mark.parametrize(
    ("nodes", "op", "label"),
    [
        ([node("Sigmoid", "x", "z")], "sigmoid", "z (Sigmoid)"),
        ([node("Reshape", "x s", "z")], "reshape", "z (Reshape)"),
    ],
)
def test_what_is_not_written_is_one_sentence(nodes: list[object], op: str, label: str) -> None:
    with pytest.raises(FormatError) as caught:
        model_of(read(*nodes))
    assert str(caught.value) == (
        f"the operation of node {label} must be one of add, average_pool, concatenate, conv,"
        " fully_connected, global_average_pool, max_pool, relu, reshape (to batch x values) to be"
        f" written as ONNX, got {op} (here)"
    )
