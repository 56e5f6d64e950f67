"""Images of --calibrate: as the network reads them, in any of the files that hold arrays."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

from hwgen.commands.exchange import images_or_rows
from hwgen.errors import HwgenError
from hwgen.importers.onnx.calibrate import quantized_model
from tests.quantized_onnx import saved, small_float

HEAD = '<ir_version: 8, opset_import: ["": 17]>'
GRAPHS = {
    "tokens": "g (float[1, 5, 8] x) => (float[1, 5, 8] y) { y = MatMul(x, w) }",
    "open": "g (float[1, T, 8] x) => (float[1, T, 8] y) { y = MatMul(x, w) }",
    "signal": "g (float[1, 8, 5] x) => (float[1, 8, 5] y) { y = Conv(x, k) }",
    "flat": "g (float[1, 8] x) => (float[1, 8] y) { y = MatMul(x, w) }",
}
SHAPES = {
    "tokens": ((5, 8), (5, 1, 8)),
    "open": ((5, 8), (5, 1, 8)),
    "signal": ((8, 5), (5, 1, 8)),
    "flat": ((8,), (1, 1, 8)),
}


def network(kind: str, folder: Path) -> Path:
    model = parser.parse_model(HEAD + GRAPHS[kind])
    weights = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    name, array = ("k", weights[..., np.newaxis]) if kind == "signal" else ("w", weights)
    model.graph.initializer.append(numpy_helper.from_array(array, name))
    return saved(model, folder)


@pytest.mark.promise("--calibrate takes images as the network reads them, from a .npz or a .npy")
@pytest.mark.parametrize("kind", GRAPHS)
def test_images_are_as_the_network_reads_them(kind: str, tmp_path: Path) -> None:
    path, given = network(kind, tmp_path), tmp_path / "images.npy"
    read, rows = SHAPES[kind]
    images = np.random.default_rng(1).normal(size=(6, *read)).astype(np.float32)
    np.save(given, images)
    found = images_or_rows(path, given)
    assert found.shape == (6, *rows)
    channels = images if kind != "signal" else images.swapaxes(1, 2)
    assert np.array_equal(found.ravel(), channels.ravel())
    np.savez(tmp_path / "images.npz", images=found)
    assert np.array_equal(images_or_rows(path, tmp_path / "images.npz"), found)


def test_a_sequence_of_cells_is_as_the_file_has_it(tmp_path: Path) -> None:
    text = f"{HEAD} g (float[1, T, 4] x) => (y) {{ y, h = GRU<hidden_size = 3>(x, w, r) }}"
    model = parser.parse_model(text.replace("(y)", "(float[T, 1, 1, 3] y)"))
    random = np.random.default_rng(0)
    for name, size in (("w", (1, 9, 4)), ("r", (1, 9, 3))):
        array = random.normal(size=size).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    np.save(tmp_path / "images.npy", random.normal(size=(6, 7, 4)).astype(np.float32))
    found = images_or_rows(saved(model, tmp_path), tmp_path / "images.npy")
    assert found.shape == (6, 4, 1, 7)


def test_pictures_with_channels_first_are_refused_with_the_cure(tmp_path: Path) -> None:
    images = np.random.default_rng(0).normal(size=(6, 3, 6, 6)).astype(np.float32)
    path = saved(small_float(), tmp_path)
    with pytest.raises(HwgenError, match=r"channels first: images.transpose\(0, 2, 3, 1\) turns"):
        quantized_model(path, images)
    assert isinstance(quantized_model(path, images.transpose(0, 2, 3, 1)), onnx.ModelProto)


@pytest.mark.parametrize("content", [b"", b"1 2 3", b"\x93NUMPY\x01\x00"])
def test_a_damaged_array_is_refused(content: bytes, tmp_path: Path) -> None:
    given = tmp_path / "images.npy"
    given.write_bytes(content)
    with pytest.raises(HwgenError, match="the images must be a "):
        images_or_rows(network("flat", tmp_path), given)
