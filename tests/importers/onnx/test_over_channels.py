"""Means, maxima and softmax over the channels of each pixel, beside onnxruntime."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.commands.differences import differences_of
from hwgen.errors import FormatError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.quantized_onnx import Model, differing, kinds, saved
from tests.vnni import has_vnni


@pytest.mark.promise("means and maxima over the channels of each pixel are layers")
@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceMax"])
@pytest.mark.parametrize("channels", [1, 2, 7, 16])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_over_the_channels_of_a_picture(
    operator: str, channels: int, keepdims: int, tmp_path: Path
) -> None:
    model = Model((1, channels, 5, 4))
    now = model.node(operator, model.image(), axes=[1], keepdims=keepdims)
    path = saved(model.build(model.quantized(now, 0.03, 10)), tmp_path)
    graph = read_integer_graph(path)
    lowered = lower(graph, kernels="onnxruntime")
    assert lowered.network.map_of(lowered.network.answer).shape == (5, 4, 1)
    steps = max(
        (each.steps for each in differences_of(graph, lowered, "onnxruntime")[0]), default=0
    )
    assert differing(path) <= steps
    assert operator == "ReduceMean" or differing(path) == 0 or steps


def test_over_the_channels_of_tokens(tmp_path: Path) -> None:
    model = Model((1, 6, 16))
    now = model.quantized(model.node("MatMul", model.image(), model.weights(16, 16, axis=1)))
    model_answer = model.quantized(model.node("ReduceMean", now, axes=[2]), 0.02, 10)
    path = saved(model.build(model_answer), tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert kinds(network) == ["conv", "conv"]
    assert differing(path) <= 1


def test_over_the_channels_of_a_vector(tmp_path: Path) -> None:
    """As a dueling network takes the mean of its advantages."""
    model = Model((1, 16))
    now = model.quantized(model.node("MatMul", model.image(), model.weights(16, 4, axis=1)))
    mean = model.quantized(model.node("ReduceMean", now, axes=[1]), 0.02, 10)
    path = saved(model.build(model.quantized(model.node("Sub", now, mean), 0.05, 90)), tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert "reshape" not in kinds(network) and differing(path) <= 1


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
    path = saved(model.build(mixed), tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert network.map_of(network.answer).shape[2] in (8, 16)
    if has_vnni():
        assert differing(path) == 0
    else:  # no exact sums of such a product: node by node, which rounds ties another way
        with pytest.raises(FormatError, match="exact sums on a processor without VNNI"):
            differing(path)
        assert differing(path, optimized=False) <= 1


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
