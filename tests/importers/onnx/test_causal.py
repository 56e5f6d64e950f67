"""Causal masks of float files become causal softmaxes; any other mask stays an addition."""

from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.masks import is_causal
from hwgen.importers.onnx.quantized import integer_graph_of
from tests.importers.onnx.test_masks import exported
from tests.quantized_onnx import exact_session


def imported(name: str, exporter: str, folder: Path) -> tuple[object, np.ndarray, np.ndarray]:
    """Return network, golden's answers and onnxruntime's, as integers of the answer's map."""
    path, images = exported(name, exporter, folder)
    model = quantized_model(path, images[:, :, np.newaxis])
    network = lower(integer_graph_of(model, name=name, source=name), kernels="onnxruntime").network
    values = network.graph.input.quantization[0]
    bytes_ = np.rint(images / np.float32(values.scale)) + values.zero_point
    found = infer(network, bytes_.clip(0, 255).astype(np.uint8)[:, :, np.newaxis])[network.answer]
    session = exact_session(model)
    real = np.concatenate([session.run(None, {"image": each[np.newaxis]})[0] for each in images])
    output = network.map_of(network.answer).quantization[0]
    steps = np.rint(real / np.float32(output.scale)) + output.zero_point
    return network, network.in_file_order(found).reshape(steps.shape), steps


@pytest.mark.dear("add_1e4-script")
@pytest.mark.promise("a causal mask, however an exporter writes it, becomes a causal softmax")
@pytest.mark.parametrize(
    ("how", "exporter"), [("sdpa", "script"), ("fill_inf", "dynamo"), ("add_1e4", "script")]
)
def test_a_causal_mask_becomes_a_causal_softmax(how: str, exporter: str, tmp_path: Path) -> None:
    network, found, wanted = imported(f"gpt_{how}", exporter, tmp_path)
    ops = [layer.op for layer in network.layers]
    assert ops.count("causal_softmax") == 2
    assert "softmax" not in ops
    # The runtime computes each softmax in floats: few elements may round another way.
    assert (found != wanted).mean() < 0.002
    assert np.abs(found - wanted).max() <= 1


def test_a_mask_that_leaves_some_share_stays_an_addition(tmp_path: Path) -> None:
    network, _, _ = imported("gpt_add_50", "script", tmp_path)
    ops = [layer.op for layer in network.layers]
    assert "causal_softmax" not in ops
    assert ops.count("softmax") == 2


def test_what_is_a_causal_mask() -> None:
    mask = np.triu(np.full((4, 4), -np.inf, np.float32), 1)
    assert is_causal(mask)
    assert is_causal(mask[np.newaxis])
    assert not is_causal(np.triu(np.full((4, 4), -np.inf, np.float32), 2))
    assert not is_causal(mask.T)
    assert not is_causal(mask[:, :3])
    assert not is_causal(np.where(mask < 0, np.float32(-50), np.float32(0)))
