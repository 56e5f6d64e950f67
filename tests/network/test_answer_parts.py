"""An answer of elements of several maps, as a network file may have it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import golden.network
from hwgen.cli import BAD_INPUT, main
from hwgen.errors import FormatError
from hwgen.importers.integer import lower
from hwgen.importers.tflite import read_integer_graph
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network, save_network

CASES = Path(__file__).parents[1] / "importers/tflite/cases"


def listed(places: list[int]) -> QuantizedNetwork:
    """Return a network of two outputs, of 10 elements and of 16 x 16 x 4, whose answer is these."""
    network = lower(read_integer_graph(CASES / "two_outputs.tflite")).network
    return replace(network, answer_places=np.array(places, np.int64))


@pytest.mark.promise("an answer may list elements of several maps, by `answer_places`")
def test_an_answer_has_elements_of_several_maps(tmp_path: Path) -> None:
    save_network(listed([1033, 3, 10]), tmp_path / "net.npz")
    network = load_network(tmp_path / "net.npz")
    assert network.answer_parts == network.graph.outputs
    images = np.random.default_rng(1).integers(0, 256, (2, *network.graph.input.shape), np.uint8)
    maps = golden.network.infer(network, images)
    first, second = (maps[name].reshape(2, -1) for name in network.answer_parts)
    wanted = np.stack([second[:, 1023], first[:, 3], second[:, 0]], axis=1)
    assert np.array_equal(network.file_answer(maps), wanted)


def test_maps_of_an_answer_with_a_real_zero_have_one_scale(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="maps of answer_places must be of the same bits, scale"):
        save_network(listed([-1, 3, 10]), tmp_path / "net.npz")


def test_such_an_answer_is_not_exported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "net.npz"
    save_network(listed([3, 10]), made)
    assert main(["export-onnx", str(made), "--out", str(tmp_path / "net.onnx")]) == BAD_INPUT
    (sentence,) = capfd.readouterr().err.splitlines()
    assert "the answer must be of one map, got a list of fully_connected_3, conv_2d_1" in sentence
