"""What lies apart in a map is gathered once for its readers, which compute what they did."""

from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.importers.integer import IntegerGraph, fold, gathered, lower
from hwgen.importers.integer.gathered import with_inputs_gathered
from hwgen.importers.integer.maps import quantized_map
from hwgen.importers.integer.nodes import FullyConnected, weights_of
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.quantized import integer_graph_of
from hwgen.network import QuantizedNetwork
from tests.importers.onnx.test_recurrent import recurrent
from tests.quantized_onnx import saved

SHAPE = (4, 1, 3)
"""Four pixels of three channels; channel c is at 0 + c, 3 + c, 6 + c, 9 + c."""


@pytest.fixture(autouse=True)
def small_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gather for small layers, too."""
    monkeypatch.setattr(gathered, "LEAST_BYTES", 1)


def reading(columns: list[list[int]], *, filters: int = 4) -> IntegerGraph:
    """Return a graph of fully connected layers of the image, each of which reads some inputs."""
    rng = np.random.default_rng(4)
    maps = {"x": quantized_map(SHAPE, signed=True, scale=0.02, zero_point=-3)}
    nodes = []
    for number, read in enumerate(columns):
        integers = np.zeros((filters, 12), np.int64)
        integers[:, read] = rng.integers(1, 100, (filters, len(read)))
        # Weights of a zero point: what is not read is no integer zero.
        zeros = rng.integers(-5, 6, filters)
        weights = weights_of(integers + zeros[:, np.newaxis], scales=0.01, zero_points=zeros)
        name = f"y{number}"
        maps[name] = quantized_map((1, 1, filters), signed=True, scale=0.05, zero_point=number)
        nodes.append(
            FullyConnected(
                name="gate", operator="Gemm", inputs=("x",), output=name, weights=weights
            )
        )
    return IntegerGraph(
        name="read",
        source="read.onnx",
        format="ONNX",
        input="x",
        outputs=tuple(node.output for node in nodes),
        maps=maps,
        nodes=tuple(nodes),
        notes=(),
    )


def inputs_of(graph: IntegerGraph) -> list[tuple[str, int]]:
    """Return the map that each layer reads, and how many inputs it has."""
    return [
        (node.inputs[0], node.weights.integers.shape[1])
        for node in graph.nodes
        if isinstance(node, FullyConnected)
    ]


def outputs_of(network: QuantizedNetwork) -> list[np.ndarray]:
    images = np.random.default_rng(0).integers(0, 256, (5, *SHAPE)).astype(np.uint8)
    maps = infer(network, images)
    return [maps[name] for name in network.graph.outputs]


APART = [[0, 3, 6, 9], [0, 3, 6, 9], [1, 4, 7, 10]]


def test_layers_of_the_same_inputs_share_them() -> None:
    found = with_inputs_gathered(reading(APART, filters=5))
    assert inputs_of(found) == [
        *(("x", 12), ("x/inputs0", 4), ("x/inputs0", 4)),
        *(("x", 12), ("x/inputs1", 4)),
    ]
    assert found.maps["x/inputs0"].shape == (1, 1, 4)


def test_a_layer_of_fewer_inputs_reads_those_of_another() -> None:
    found = with_inputs_gathered(reading([[3, 9], [0, 3, 6, 9]]))
    assert inputs_of(found) == [("x", 12), ("x/inputs0", 4), ("x/inputs0", 4)]


@pytest.mark.parametrize("columns", [[[3, 4, 5]] * 3, [list(range(12))] * 3, [[]], [[0, 3, 6, 9]]])
def test_runs_and_few_filters_stay(columns: list[list[int]]) -> None:
    graph = reading(columns)
    found = with_inputs_gathered(graph)
    assert found.nodes == graph.nodes and found.maps == graph.maps


def test_small_layers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = reading(APART, filters=5)
    monkeypatch.setattr(gathered, "LEAST_BYTES", 4 * 5 + 1)
    assert with_inputs_gathered(graph).nodes == graph.nodes


@pytest.mark.parametrize("kernels", ["half_up", "onnxruntime"])
@pytest.mark.parametrize("columns", [APART, [[3, 9], [0, 3, 6, 9]]])
def test_the_layers_compute_what_they_did(
    kernels: str, columns: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    after = outputs_of(lower(reading(columns, filters=5), kernels=kernels).network)
    monkeypatch.setattr(fold, "with_inputs_gathered", lambda graph: graph)
    before = outputs_of(lower(reading(columns, filters=5), kernels=kernels).network)
    assert len(before) == len(after) == len(columns)
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.promise("the gates of all steps of a recurrent node hold their weights once")
@pytest.mark.parametrize(("operator", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_steps_share_their_weights(operator: str, gates: int, tmp_path: Path) -> None:
    """Small arrays are not shared, so the cell is not the smallest."""
    steps, inputs, hidden = 3, 32, 32
    images = np.random.default_rng(7).normal(size=(32, inputs, 1, steps)).astype(np.float32)
    model = recurrent(operator, steps=steps, inputs=inputs, hidden=hidden)
    made = quantized_model(saved(model, tmp_path), images)
    lowered = lower(integer_graph_of(made, name="cell", source="cell.onnx"), kernels="onnxruntime")
    weights = [each.weights for each in lowered.network.parameters.values()]
    square = [each for each in weights if each.shape == (hidden, hidden)]
    assert len(square) > steps * gates
    assert len({id(each) for each in square}) == 2 * gates
