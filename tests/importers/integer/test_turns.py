"""Pixels as channels: a product by ones, equal to the file in every element."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.network import QuantizedNetwork
from tests.quantized_onnx import Model, differing, kinds, saved


def turned(tokens: int, channels: int, folder: Path) -> QuantizedNetwork:
    """Return a network whose tokens are mixed: layers on the tokens of a channel."""
    model = Model((1, tokens, channels), seed=tokens)
    weights = model.weights(channels, channels, axis=1)
    now = model.quantized(model.node("MatMul", model.image(), weights))
    now = model.quantized(model.node("Transpose", now, perm=[0, 2, 1]))
    mixed = model.quantized(model.node("MatMul", now, model.weights(tokens, 16, axis=1)))
    back = model.quantized(model.node("Transpose", mixed, perm=[0, 2, 1]))
    last = model.node("MatMul", back, model.weights(channels, 8, axis=1))
    path = saved(model.build(model.quantized(last)), folder)
    assert differing(path) == 0
    return lower(read_integer_graph(path), kernels="onnxruntime").network


@pytest.mark.promise("layers over the tokens of a channel run: a product by ones turns a map")
@pytest.mark.parametrize(("tokens", "channels"), [(16, 32), (12, 16), (5, 8)])
def test_tokens_are_mixed(tokens: int, channels: int, tmp_path: Path) -> None:
    network = turned(tokens, channels, tmp_path)
    assert "transpose" not in kinds(network) and kinds(network).count("matmul") == 2
    ones = [layer.name for layer in network.layers if layer.op == "constant"]
    for name in ones:
        made = network.held[name]["map"]
        assert np.array_equal(made[:, 0], np.eye(len(made)))


def test_a_large_map_is_turned_by_no_product(tmp_path: Path) -> None:
    model = Model((1, 300, 300))
    now = model.node("Transpose", model.image(), perm=[0, 2, 1])
    last = model.quantized(model.node("MatMul", now, model.weights(300, 4, axis=1)))
    network = lower(read_integer_graph(saved(model.build(last), tmp_path))).network
    assert "matmul" not in kinds(network)
