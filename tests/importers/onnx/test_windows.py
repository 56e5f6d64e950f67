"""Attention within windows of a map, and queries that are learned, beside onnxruntime."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.commands.described import remarks_of
from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.network import QuantizedNetwork
from tests.quantized_onnx import Model, differing, saved

WIDTH, SIDE, WINDOW, HEADS, QUERIES = 8, 4, 2, 2, 3
EACH, TOKENS, TIMES = WIDTH // HEADS, WINDOW * WINDOW, SIDE // WINDOW


def reshaped(model: Model, tensor: str, *sides: int) -> str:
    return model.node("Reshape", tensor, model.constant(sides, np.int64))


def layer(model: Model, tensor: str, width: int = WIDTH) -> str:
    return model.node("MatMul", tensor, model.constant(model.rng.normal(size=(WIDTH, width)) / 2))


def of_windows() -> onnx.ModelProto:
    """Return attention within windows of a map, with a table of places, beside what it reads."""
    model = Model((1, WIDTH, SIDE, SIDE))
    whole = model.node("Transpose", "x", perm=[0, 2, 3, 1])
    whole = layer(model, whole)
    cut = reshaped(model, whole, 1, TIMES, WINDOW, TIMES, WINDOW, WIDTH)
    cut = model.node("Transpose", cut, perm=[0, 1, 3, 2, 4, 5])
    windows = reshaped(model, cut, TIMES * TIMES, TOKENS, WIDTH)

    def heads(tensor: str, perm: list[int]) -> str:
        return model.node("Transpose", reshaped(model, tensor, -1, TOKENS, HEADS, EACH), perm=perm)

    q, k, v = (
        heads(layer(model, windows), perm) for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    )
    places = model.constant(model.rng.normal(size=(1, HEADS, TOKENS, TOKENS)))
    scores = model.node("Add", model.node("MatMul", q, k), places)
    found = model.node("MatMul", model.node("Softmax", scores, axis=-1), v)
    found = reshaped(model, model.node("Transpose", found, perm=[0, 2, 1, 3]), -1, TOKENS, WIDTH)
    found = reshaped(model, layer(model, found), 1, TIMES, TIMES, WINDOW, WINDOW, WIDTH)
    found = model.node("Transpose", found, perm=[0, 1, 3, 2, 4, 5])
    found = reshaped(model, found, 1, SIDE, SIDE, WIDTH)
    return model.build(layer(model, model.node("Add", whole, found), 4))


def of_learned_queries() -> onnx.ModelProto:
    """Return constant queries that attend to the tokens of the input."""
    model = Model((1, SIDE, WIDTH))

    def heads(perm: list[int]) -> str:
        tensor = reshaped(model, layer(model, "x"), 1, SIDE, HEADS, EACH)
        return model.node("Transpose", tensor, perm=perm)

    queries = model.constant(model.rng.normal(size=(1, HEADS, QUERIES, EACH)))
    scores = model.node("MatMul", queries, heads([0, 2, 3, 1]))
    found = model.node("MatMul", model.node("Softmax", scores, axis=-1), heads([0, 2, 1, 3]))
    found = reshaped(model, model.node("Transpose", found, perm=[0, 2, 1, 3]), 1, QUERIES, WIDTH)
    return model.build(layer(model, found, 4))


def network_of(
    model: onnx.ModelProto, shape: tuple[int, ...], folder: Path
) -> tuple[QuantizedNetwork, Path]:
    images = np.random.default_rng(2).normal(size=(16, *shape)).astype(np.float32)
    path = saved(quantized_model(saved(model, folder), images), folder)
    return lower(read_integer_graph(path), kernels="onnxruntime").network, path


def runs(network: QuantizedNetwork) -> bool:
    return not any(each.startswith("no:") for each in remarks_of(network)["dbpim"].values())


@pytest.mark.promise(
    "attention within the windows of a map, as Swin has it, is exact and runs on a chip"
)
def test_windows_of_a_map(tmp_path: Path) -> None:
    network, path = network_of(of_windows(), (SIDE, SIDE, WIDTH), tmp_path)
    kinds = [layer.op for layer in network.layers]
    assert kinds.count("softmax") >= 1 and "reshape" not in kinds and "transpose" not in kinds
    assert runs(network) and differing(path) == 0


@pytest.mark.promise("queries that are learned attend to a map: exact, and on a chip")
def test_learned_queries(tmp_path: Path) -> None:
    network, path = network_of(of_learned_queries(), (SIDE, 1, WIDTH), tmp_path)
    assert [layer.op for layer in network.layers].count("constant") == 1
    assert network.map_of(network.answer).shape == (QUERIES, 1, 4)
    assert runs(network) and differing(path) == 0
