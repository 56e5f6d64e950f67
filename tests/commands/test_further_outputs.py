"""Networks of several outputs: `compare --against` and `api.infer` know all of them."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen import api
from hwgen.cli import main
from hwgen.network.file import load_network, save_network
from tests.quantized_onnx import Model, saved

TFLITE = Path(__file__).parents[1] / "importers" / "tflite" / "cases" / "two_outputs.tflite"
DIFFERENT = 1


def two_heads() -> onnx.ModelProto:
    """Return a detector of two outputs: a map, and raw sums with a scale a channel."""
    model = Model()
    now = model.quantized(model.conv(model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1]))
    boxes = model.quantized(model.conv(now, 6, 8, 1, 1), scale=0.1, zero=120)
    flat = model.node("Flatten", model.node("MaxPool", now, kernel_shape=[6, 6]))
    return model.build(boxes, model.node("Gemm", flat, model.weights(5, 8), transB=1))


def against(path: Path, folder: Path, *, kernels: str, wrong: bool = False) -> tuple[int, dict]:
    """Import a file and compare; wrong: with another bias of what computes the second output."""
    made, report = folder / "network.npz", folder / "report.json"
    assert main(["import", str(path), "--out", str(made)]) == 0
    if wrong:
        network = load_network(made)
        name = network.graph.outputs[1]
        given = network.parameters[name]
        changed = network.parameters | {name: replace(given, bias=given.bias + 5000)}
        save_network(replace(network, parameters=changed), made)
    chosen = ["--kernels", kernels, "--images", "4", "--json", str(report)]
    code = main(["compare", str(made), "--against", str(path), *chosen])
    return code, json.loads(report.read_text())


@pytest.mark.promise("compare holds every output of a file against its runtime's")
@pytest.mark.parametrize("kind", ["onnx", "tflite"])
def test_every_output_is_compared(kind: str, tmp_path: Path) -> None:
    path = TFLITE if kind == "tflite" else saved(two_heads(), tmp_path)
    code, report = against(path, tmp_path, kernels="default")
    network = load_network(tmp_path / "network.npz")
    sizes = [math.prod(network.map_of(name).shape) for name in network.graph.outputs]
    assert len(sizes) == 2 and code == 0
    assert (report["output"]["elements"], report["output"]["equal"]) == (4 * sum(sizes), 1)


@pytest.mark.parametrize("kernels", ["default", "reference"])
@pytest.mark.parametrize("kind", ["onnx", "tflite"])
def test_a_wrong_second_output_is_found(kind: str, kernels: str, tmp_path: Path) -> None:
    path = TFLITE if kind == "tflite" else saved(two_heads(), tmp_path)
    code, report = against(path, tmp_path, kernels=kernels, wrong=True)
    assert code == DIFFERENT
    second = load_network(tmp_path / "network.npz").graph.outputs[1]
    if kernels == "default":
        assert len(report["judged"]["outputs"]) == 1 and report["judged"]["first"] == second
        return
    (found,) = (each for each in report["layers"] if each["name"] == second)
    assert found["same_inputs"]["equal"] < 0.5


def test_inference_gives_every_output(tmp_path: Path) -> None:
    made = tmp_path / "network.npz"
    assert main(["import", str(TFLITE), "--out", str(made)]) == 0
    network = load_network(made)
    images = np.random.default_rng(0).integers(0, 256, (2, *network.graph.input.shape), np.uint8)
    found = api.infer(made, images)
    assert list(found.outputs) == list(network.graph.outputs) and len(found.outputs) == 2
    for name, values in found.outputs.items():
        assert np.array_equal(values, found.maps[name])
    assert np.array_equal(found.outputs[network.answer], found.answers)
