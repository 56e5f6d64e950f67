"""Softmax over the channels of each pixel, and what mixes tokens, beside onnxruntime."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.quantized_onnx import Model, compared, differing, kinds, saved
from tests.vnni import has_vnni


@pytest.mark.promise("softmax over the channels of a map is a layer, equal in every element")
def test_shares_of_the_channels_of_each_pixel(tmp_path: Path) -> None:
    model = Model((1, 16, 5, 4))
    shares = model.quantized(model.node("Softmax", model.image(scale=0.05), axis=1), 1 / 255, 0)
    now = model.quantized(model.node("Mul", model.conv(shares, 16, 16, 1, 1), model.constant(0.5)))
    path = saved(model.build(now), tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert "softmax" in kinds(network) and differing(path) == 0


@pytest.mark.promise("a constant matrix times a map mixes the tokens of each channel")
def test_a_constant_times_a_map(tmp_path: Path) -> None:
    model = Model((1, 12, 16))
    now = model.quantized(model.node("MatMul", model.image(), model.weights(16, 16, axis=1)))
    mixed = model.quantized(model.node("MatMul", model.weights(8, 12, axis=0), now))
    made = model.build(mixed)
    path = saved(made, tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert network.map_of(network.answer).shape[2] in (8, 16)
    if has_vnni():
        assert differing(path) == 0
    else:  # no exact sums of such a product: node by node, which rounds ties another way
        _, counters = compared(made, tmp_path)
        assert counters.end_to_end[network.answer].largest <= 1


@pytest.mark.parametrize("operator", ["Expand", "Tile"])
@pytest.mark.promise("Expand and Tile repeat a map along its sides")
def test_a_mean_that_is_repeated(operator: str, tmp_path: Path) -> None:
    model = Model((1, 8, 4, 4))
    image = model.image()
    mean = model.quantized(model.node("GlobalAveragePool", image))
    sides = model.constant([1, 8, 4, 4] if operator == "Expand" else [1, 1, 4, 4], np.int64)
    grown = model.quantized(model.node(operator, mean, sides))
    joined = model.quantized(model.node("Concat", image, grown, axis=1))
    path = saved(model.build(model.quantized(model.conv(joined, 4, 16, 1, 1))), tmp_path)
    assert differing(path) <= 1
