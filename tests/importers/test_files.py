"""Exports of torch, onnxruntime and Keras, as their tools wrote them: imported, and compared.

`python -m studies.tests.corpus.run --keep FOLDER` makes them and many others.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from hwgen.cli import main
from hwgen.network.file import load_network
from tests.vnni import has_vnni

FOLDER = Path(__file__).parent / "files"
IMAGES = 4

FILES = {
    "densenet-QOperator.onnx": {"concatenate", "average_pool"},
    "eca_resnet-QDQ.onnx": {"linear", "table", "multiply"},
    "gated.tflite": {"table", "multiply"},
    "means.tflite": {"average_pool"},
    "prelu-script-calibrated.onnx": {"rescale", "conv", "add"},
    "resnet-script-calibrated.onnx": {"add"},
    "shufflenet-QDQ.onnx": {"concatenate"},
    "signal-QOperator.onnx": {"conv", "add"},
    "signal_growing.tflite": {"upsample"},
    "unet_nearest-QOperator.onnx": {"upsample", "concatenate"},
    "unet_transposed-script-calibrated.onnx": {"upsample", "concatenate"},
    "unet_transposed.tflite": {"upsample"},
    "yolo_neck-QOperator.onnx": {"upsample", "max_pool", "concatenate"},
}
"""Each file with kinds of layers that it must become."""


@pytest.mark.promise(
    "exports of torch, onnxruntime and Keras as their tools wrote them are imported, each layer"
    " within a step"
)
def test_every_file_is_listed() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(FILES)


@pytest.mark.dear("means.tflite-half_up")
@pytest.mark.parametrize("kernels", ["default", "half_up"])
@pytest.mark.parametrize("name", FILES)
def test_imported_and_each_layer_within_a_step(name: str, kernels: str, tmp_path: Path) -> None:
    """On the runtime's own inputs, whatever the rounding: beside ties a step is right."""
    if kernels == "half_up" and "QOperator" in name and not has_vnni():
        pytest.skip("without graph optimization onnxruntime saturates on a processor without VNNI")
    path, out = FOLDER / name, tmp_path / "network.npz"
    assert main(["import", str(path), "--kernels", kernels, "--out", str(out)]) == 0
    network = load_network(out)
    assert FILES[name] <= {layer.op for layer in network.layers}
    image, data, report = network.graph.input, tmp_path / "images.npz", tmp_path / "report.json"
    chance = np.random.default_rng(1)
    images = chance.integers(0, 1 << image.bits, (IMAGES, *image.shape)).astype(image.dtype)
    np.savez(data, images=images)
    given = ["compare", str(out), "--against", str(path), "--data", str(data)]
    assert main([*given, "--json", str(report)]) in (0, 1)
    found = json.loads(report.read_text())
    assert found["largest_step"] is None or found["largest_step"] <= 1
    assert found["output"] is None or found["output"]["largest"] <= 2
