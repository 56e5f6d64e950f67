"""Networks as ONNX models: onnxruntime agrees, and the model reads back equal."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.errors import FormatError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.qdq.export import export_network, model_of_network
from hwgen.importers.onnx.qdq.notes import KEY
from hwgen.importers.onnx.quantized import integer_graph_of
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.network.mode import in_mode
from tests.golden.drawn import MODES, draw_every_operation, draw_joined
from tests.quantized_onnx import agreeing

NETWORKS = Path(__file__).parents[3] / "configs/networks"
SHIPPED = sorted(
    path.stem
    for path in NETWORKS.glob("*.npz")
    if not path.with_suffix(".onnx").exists() and not load_network(path).states
)
"""Those that came from an ONNX file have it beside, and round as its runtime does.

A network that remembers is no one ONNX model.
"""


def read_back(model: onnx.ModelProto) -> QuantizedNetwork:
    return lower(integer_graph_of(model, name="model", source="model.onnx")).network


def assert_equal(one: QuantizedNetwork, other: QuantizedNetwork) -> None:
    """All but `source` is equal."""
    layers = [replace(layer, source="") for layer in other.layers]
    assert layers == [replace(layer, source="") for layer in one.layers]
    assert replace(other.graph, layers=one.layers) == one.graph
    assert other.arrays().keys() == one.arrays().keys()
    for key, array in one.arrays().items():
        assert other.arrays()[key].dtype == array.dtype, key
        assert np.array_equal(other.arrays()[key], array), key


def drawn(case: str) -> QuantizedNetwork:
    kind, seed, mode = case.split()
    if kind == "joined":
        return draw_joined(int(seed))
    return in_mode(draw_every_operation(int(seed)), int(mode))


DRAWN = ["every 0 0", "every 1 1", "every 2 2", "every 3 0", "joined 0 0", "joined 1 0"]


@pytest.mark.promise(
    "every network that rounds half up is written as an ONNX QDQ model that onnxruntime runs"
    " and that reads back equal"
)
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_networks_read_back_equal(name: str) -> None:
    network = in_mode(load_network(NETWORKS / f"{name}.npz"), 0)
    assert_equal(network, read_back(model_of_network(network)))


@pytest.mark.parametrize("case", DRAWN)
def test_every_operation_reads_back_equal(case: str) -> None:
    network = drawn(case)
    assert_equal(network, read_back(model_of_network(network)))


@pytest.mark.dear("digits_small_cnn_noise")
@pytest.mark.parametrize("name", SHIPPED)
def test_onnxruntime_agrees_with_shipped_networks(name: str, tmp_path: Path) -> None:
    agreeing(model_of_network(load_network(NETWORKS / f"{name}.npz")), tmp_path)


@pytest.mark.parametrize("case", DRAWN[:2])
def test_onnxruntime_agrees_on_every_operation(case: str, tmp_path: Path) -> None:
    agreeing(model_of_network(drawn(case)), tmp_path)


def test_a_mode_is_a_network_of_its_own() -> None:
    network = draw_every_operation(1)
    for number, mode in enumerate(MODES):
        back = read_back(model_of_network(network, mode=mode))
        assert back.graph.modes == (mode,)
        assert_equal(in_mode(network, number), back)


def test_notes_change_no_arithmetic() -> None:
    """Without its notes the model is the same network but for names and the digits of scales."""
    network = load_network(NETWORKS / "digits_small_cnn.npz")
    model = model_of_network(network)
    del model.metadata_props[:]
    back = read_back(model)
    for name, parameters in network.parameters.items():
        assert np.array_equal(back.parameters[name].weights, parameters.weights)
        assert np.array_equal(back.parameters[name].bias, parameters.bias)
        given = back.parameters[name].multiplier.astype(np.int64)
        assert np.abs(given - parameters.multiplier).max(initial=0) <= 1
    for one, other in zip(network.layers, back.layers, strict=True):
        scale = one.output.quantization[0].scale
        assert other.output.quantization[0].scale == pytest.approx(scale, rel=1e-6)


def test_notes_that_contradict_the_model_are_ignored() -> None:
    network = load_network(NETWORKS / "digits_small_cnn.npz")
    model = model_of_network(network)
    entry = next(each for each in model.metadata_props if each.key == KEY)
    given = entry.value
    entry.value = given.replace('"scale": 0.', '"scale": 7.')
    for one, other in zip(network.layers[:-1], read_back(model).layers[:-1], strict=True):
        scale = one.output.quantization[0].scale
        assert other.output.quantization[0].scale == pytest.approx(scale)
    entry.value = given.replace('"bits": 8', '"bits": 3')
    with pytest.raises(FormatError, match="weight"):
        read_back(model)
    entry.value = "[1, 2]"
    assert read_back(model).graph.name == "model"


def test_the_file_has_the_same_bytes_again(tmp_path: Path) -> None:
    network = load_network(NETWORKS / "digits_small_cnn.npz")
    for name in ("one", "other"):
        export_network(network, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_what_onnx_cannot_hold_is_one_sentence() -> None:
    network = load_network(NETWORKS / "digits_small_cnn.npz")
    with pytest.raises(FormatError, match=r"--mode must be one of 1.0x, got 0.5x"):
        model_of_network(network, mode="0.5x")
    given = network.parameters["conv2"]
    bias = given.bias.copy()
    bias[0, 3] = 1 << 40
    changed = replace(given, bias=bias)
    wide = replace(network, parameters={**network.parameters, "conv2": changed})
    with pytest.raises(FormatError, match="the bias of output channel 3 of conv2 must be within"):
        model_of_network(wide)
