"""Quantized ONNX models in synthesis: the same layers as of the float model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.crossbar.facts.network import WITH_WEIGHTS
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.qdq.export import model_of_network
from hwgen.network import Conv, Linear
from hwgen.network.file import load_network
from tests.onnx_graphs import layers_of
from tests.quantized_onnx import saved, small_float

NETWORK = Path(__file__).parents[3] / "configs/networks/digits_resnet20.npz"


@pytest.mark.promise("synthesis reads quantized models as the float ones")
def test_a_quantized_model_is_the_same_accelerator(tmp_path: Path) -> None:
    float_model = small_float()
    images = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype(np.float32)
    quantized = quantized_model(saved(float_model, tmp_path), images)
    one, other = (layers_of(model, name="small", source="x") for model in (float_model, quantized))
    assert len(one.layers) == len(other.layers) > 0
    for before, after in zip(one.layers, other.layers, strict=True):
        # onnxruntime leaves a ReLU to the range of the QuantizeLinear behind it.
        same = {
            "name": before.name,
            "providers": before.providers,
            "activation": before.activation,
        }
        assert replace(after, **same) == before


def test_an_exported_network_can_be_synthesized() -> None:
    network = load_network(NETWORK)
    layers = layers_of(model_of_network(network), name="digits", source="x").layers
    weighted = [layer for layer in network.layers if isinstance(layer, Conv | Linear)]
    assert len([layer for layer in layers if layer.kind in WITH_WEIGHTS]) == len(weighted)
