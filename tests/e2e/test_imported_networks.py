"""Networks that hwgen did not write, from their file to RTL, on two cores."""

import json
from pathlib import Path

import numpy as np
import pytest

from hwgen.cli import main
from tests.quantized_onnx import Model, saved
from tests.tflite_files import (
    RELU,
    RELU6,
    SAME,
    Writer,
    activation_options,
    conv_options,
    convolution,
    depthwise_options,
    pool_options,
    random_bias,
    random_weights,
)

TINY = Path(__file__).parents[2] / "configs/dbpim/tiny.yaml"
RUNS = {
    "tflite": {"published": "weight_values,input_bits", "fitted": "all"},
    "onnx": {"fitted": "all"},
}
"""Networks and their switches; a simulator of all of them is shared with other tests."""
SHAPES = {"tflite": (17, 16, 3), "onnx": (10, 12, 3)}
LAYERS = {
    "tflite": ["conv", "conv", "add", "average_pool", "linear"],
    "onnx": ["conv", "add", "max_pool", "conv", "average_pool", "linear"],
}
"""Rows of a report; the convolution before a sum is part of the sum's."""


def tflite(folder: Path) -> Path:
    """Write int8 TFLite: stride 2 with unequal sides, depthwise, a sum, a mean, a head."""
    height, width, channels = SHAPES["tflite"]
    grid = {"scale": 0.05, "zero_point": -128}
    net = Writer()
    x = net.map(height, width, channels, scale=1 / 255, zero_point=-128)
    first = net.map(9, 8, 12, **grid)
    strided = conv_options(padding=SAME, stride=(2, 2), activation=RELU)
    convolution(net, x, first, random_weights(12, 3, 3, 3), strided, scales=0.002)
    second = net.map(9, 8, 12, **grid)
    near = depthwise_options(padding=SAME, activation=RELU6)
    weights = random_weights(1, 3, 3, 12, seed=2)
    convolution(net, first, second, weights, near, scales=0.002, name="DEPTHWISE_CONV_2D", axis=3)
    third = net.map(9, 8, 12, scale=0.07, zero_point=9)
    scales = np.linspace(0.001, 0.004, 12)
    convolution(net, second, third, random_weights(12, 1, 1, 12), conv_options(), scales=scales)
    whole = net.map(9, 8, 12, **grid)
    net.operator("ADD", (third, first), whole, activation_options("AddOptions", RELU))
    mean = net.map(1, 1, 12, **grid)
    net.operator("AVERAGE_POOL_2D", (whole,), mean, pool_options(kernel=(9, 8), stride=(9, 8)))
    logits, last = net.map(10, scale=0.1, zero_point=3), net.map(10, scale=1 / 256, zero_point=-128)
    matrix = net.constant(random_weights(10, 12), scales=0.004)
    bias = net.constant(random_bias(10), scales=0.05 * 0.004)
    options = activation_options("FullyConnectedOptions")
    net.operator("FULLY_CONNECTED", (mean, matrix, bias), logits, options)
    net.operator("SOFTMAX", (logits,), last, ("SoftmaxOptions", {"Beta": 1.0}))
    return net.save(folder / "net.tflite")


def onnx(folder: Path) -> Path:
    """Write ONNX with QDQ: a sum of two convolutions, poolings, a matrix."""
    height, width, channels = SHAPES["onnx"]
    net = Model((1, channels, height, width))
    image = net.image(scale=1 / 255, zero=0)
    first = net.node("Relu", net.conv(image, 8, 3, 3, 3, pads=[1, 1, 1, 1]))
    first = net.quantized(first, 0.02, 0)
    second = net.quantized(net.conv(first, 8, 8, 1, 3, pads=[0, 1, 0, 1]), 0.03, 120)
    now = net.quantized(net.node("Relu", net.node("Add", first, second)), 0.03, 0)
    now = net.node("MaxPool", now, kernel_shape=[2, 2], strides=[2, 2])
    now = net.quantized(net.conv(now, 16, 8, 3, 3, strides=[2, 1]), 0.04, 90)
    now = net.quantized(net.node("GlobalAveragePool", now), 0.03, 100)
    weights = net.weights(7, 16, axis=0)
    now = net.node("Gemm", net.node("Flatten", now), weights, transB=1)
    return saved(net.build(net.quantized(now, 0.05, 60)), folder)


WRITERS = {"tflite": tflite, "onnx": onnx}


def run(folder: Path, *arguments: object) -> dict[str, object]:
    """Run a command in a folder; return its report."""
    out = folder / "report.json"
    assert main([str(each) for each in (*arguments, "--json", out)]) == 0
    report: dict[str, object] = json.loads(out.read_text(encoding="utf-8"))
    return report


@pytest.mark.dear("onnx")
@pytest.mark.promise(
    "a TFLite and an ONNX file run in RTL on two cores of 32 KB, every map equal to golden and"
    " every cycle to the model"
)
@pytest.mark.parametrize("kind", WRITERS)
def test_from_the_file_to_equal_maps_and_cycles(kind: str, tmp_path: Path) -> None:
    published, fitted = tmp_path / "published.npz", tmp_path / "fitted.npz"
    content = run(
        tmp_path, "import", WRITERS[kind](tmp_path), "--out", published, "--kernels", "half_up"
    )["content"]
    assert isinstance(content, dict) and content["refused"] == []
    images = np.random.default_rng(3).integers(0, 256, (12, *SHAPES[kind]), dtype=np.uint8)
    data = tmp_path / "images.npz"
    np.savez(data, images=images)
    given = ("--data", data, "--work", tmp_path)
    run(tmp_path, "fit", published, "--out", fitted, "--calibration", "8", *given)
    cycles = []
    for network, switches in RUNS[kind].items():
        options = ("--images", "2", "--engine", "rtl", "--sparsity", switches)
        report = run(tmp_path, "run", tmp_path / f"{network}.npz", TINY, *options, *given)
        assert report["equal"] is True and report["mismatches"] == 0
        assert report["cycles_rtl"] == report["cycles_model"]
        layers = report["layers"]
        assert isinstance(layers, list)
        found = [
            layer["kind"] for layer in layers if layer["kind"] != "chip" and not layer["fused"]
        ]
        assert found == LAYERS[kind]
        cycles.append(report["cycles_rtl"])
    assert cycles == sorted(cycles, reverse=True)
