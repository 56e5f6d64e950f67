"""Weights in a file beside the ONNX file, as torch's exporter writes by default."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.cli import main
from hwgen.network.file import load_network
from tests.quantized_onnx import Model, saved, small_float

BAD_INPUT = 2
DATA = "model.onnx.data"


def model() -> onnx.ModelProto:
    made = Model()
    return made.build(made.quantized(made.conv(made.image(), 4, 3, 3, 3), 0.05, 120))


def apart(folder: Path) -> Path:
    """Write the model with its weights in a file beside it."""
    path = folder / "model.onnx"
    onnx.save(model(), path, save_as_external_data=True, location=DATA, size_threshold=0)
    return path


@pytest.mark.promise(
    "weights in a file beside an ONNX file are read; another place, a link or another size is"
    " one sentence"
)
def test_weights_beside_the_file_are_read(tmp_path: Path) -> None:
    whole, one, other = saved(model(), tmp_path), tmp_path / "one.npz", tmp_path / "other.npz"
    assert main(["import", str(whole), "--out", str(one)]) == 0
    (tmp_path / "apart").mkdir()
    path = apart(tmp_path / "apart")
    assert main(["import", str(path), "--out", str(other)]) == 0
    assert load_network(one).digest == load_network(other).digest
    assert main(["compare", str(other), "--against", str(path), "--images", "4"]) == 0


def test_a_float_file_with_weights_beside_it_is_calibrated(tmp_path: Path) -> None:
    path, images = tmp_path / "net.onnx", tmp_path / "images.npz"
    onnx.save(small_float(), path, save_as_external_data=True, location=DATA, size_threshold=0)
    np.savez(images, images=np.random.default_rng(1).integers(0, 256, (8, 6, 6, 3), np.uint8))
    out, qdq = tmp_path / "net.npz", tmp_path / "qdq.onnx"
    given = ["import", str(path), "--calibrate", str(images), "--out", str(out)]
    assert main([*given, "--qdq", str(qdq)]) == 0
    assert main(["compare", str(out), "--against", str(qdq), "--images", "4"]) == 0


def refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    out = path.parent / "net.npz"
    assert main(["import", str(path), "--out", str(out)]) == BAD_INPUT and not out.exists()
    error = capsys.readouterr().err
    assert (
        len(error.splitlines()) == 1 and "onnx.save(onnx.load('net.onnx'), 'whole.onnx')" in error
    )
    return error


@pytest.mark.parametrize("location", ["../model.onnx.data", "/etc/passwd", "..", "a/b", ""])
def test_files_elsewhere_are_not_opened(
    location: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = apart(tmp_path)
    changed = onnx.load(path, load_external_data=False)
    for tensor in changed.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    path.write_bytes(changed.SerializeToString())
    assert f"got in {location!r}" in refused(path, capsys)


def test_a_link_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = apart(tmp_path)
    (tmp_path / DATA).rename(tmp_path / "moved")
    (tmp_path / DATA).symlink_to(tmp_path / "moved")
    assert "a link" in refused(path, capsys)


def test_a_file_of_another_size_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = apart(tmp_path)
    (tmp_path / DATA).write_bytes((tmp_path / DATA).read_bytes()[:-9])
    assert "which has" in refused(path, capsys)
    (tmp_path / DATA).unlink()
    assert "No such file" in refused(path, capsys)


def test_bytes_of_an_unknown_type_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ONNX gives new numbers to new types: nobody knows here how many bytes an element takes."""
    path = apart(tmp_path)
    changed = onnx.load(path, load_external_data=False)
    changed.graph.initializer[0].data_type = 99
    path.write_bytes(changed.SerializeToString())
    assert ", for 0" in refused(path, capsys)
