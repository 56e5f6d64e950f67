"""Outputs of the Python API: no input and no file of somebody else is replaced."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen import api
from tests.cli.given import NETWORK, TINY

Call = Callable[[dict[str, Path]], Any]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Copies of a network, an architecture and images by the first letter, and one picture."""
    files = {name: tmp_path / file for name, file in NAMES.items()}
    shutil.copyfile(NETWORK, files["n"])
    shutil.copyfile(TINY, files["a"])
    api.export_onnx(NETWORK, files["f"])
    images = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 1)).astype(np.uint8)
    np.savez(files["d"], images=images)
    files["p"].write_text("<svg/>")
    monkeypatch.chdir(tmp_path)
    return files


NAMES = {"n": "net.npz", "a": "arch.yaml", "f": "net.onnx", "d": "images.npz", "p": "mine.svg"}
REPLACED: dict[str, tuple[Call, str]] = {
    "fit": (lambda p: api.fit(p["n"], p["n"]), "out must not replace an input"),
    "fit data": (lambda p: api.fit(p["n"], p["d"], data=p["d"]), "out must not replace an input"),
    "import": (lambda p: api.import_network(p["f"], p["f"]), "out must not replace an input"),
    "export": (lambda p: api.export_onnx(p["n"], str(p["n"])), "out must not replace an input"),
    "plot": (lambda p: api.model(p["n"], p["a"], plot=p["n"]), "plot must not replace an input"),
    "page": (lambda p: api.model(p["n"], p["a"], page=p["a"]), "page must not replace an input"),
    "loaded": (
        lambda p: api.model(p["n"], api.load_architecture(p["a"]), page=p["a"]),
        "page must not replace an input",
    ),
    "compile": (lambda p: api.compile(p["n"], p["a"], out=p["a"]), "out must not replace an"),
    "sweep": (
        lambda p: api.sweep(p["n"], p["a"], {"cores": [1]}, plot=p["p"]),
        "plot must be a new file or replace a picture of hwgen, got another file",
    ),
    "other": (
        lambda p: api.fit(NETWORK, p["d"]),
        "out must be a new file or replace a network of hwgen, got another file",
    ),
    "folder": (lambda p: api.build(p["a"], p["a"].parent), "out must hold no input"),
    "export folder": (
        lambda p: api.export(p["n"], p["a"], p["a"].parent),
        "out must hold no input",
    ),
    "two": (
        lambda p: api.model(p["n"], p["a"], plot="x.svg", page="./x.svg"),
        "page must lie elsewhere than plot",
    ),
    "qdq": (
        lambda p: api.import_network(p["f"], "new.npz", calibrate=p["d"], qdq=p["f"]),
        "qdq must not replace an input",
    ),
}


@pytest.mark.promise("no output replaces an input, another output, a device or what a link names")
@pytest.mark.parametrize("name", REPLACED)
def test_no_file_of_a_person_is_replaced(name: str, place: dict[str, Path]) -> None:
    call, sentence = REPLACED[name]
    before = {path: path.read_bytes() for path in place.values()}
    with pytest.raises(api.HwgenError) as refused:
        call(place)
    assert str(refused.value).startswith(sentence)
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(place["n"].parent.iterdir()) == sorted(before)


@pytest.mark.dear
@pytest.mark.parametrize("name", ["run.sh", "expected.txt", "memory.hex"])
def test_an_export_replaces_files_of_an_earlier_one_alone(
    name: str, place: dict[str, Path], tmp_path: Path
) -> None:
    context = api.Context(work=tmp_path / "work", console=None)
    mine = tmp_path / "folder" / name
    mine.parent.mkdir()
    mine.write_text("of a person")
    with pytest.raises(api.HwgenError) as refused:
        api.export(place["n"], place["a"], mine.parent, context=context)
    assert str(refused.value) == (
        f"{name} must be a new file or one of an earlier output of hwgen, got another file ({mine})"
    )
    assert list(mine.parent.iterdir()) == [mine] and mine.read_text() == "of a person"
    mine.rename(mine.with_name("note.txt"))
    for _ in range(2):
        api.export(place["n"], place["a"], mine.parent, context=context)
        assert mine.exists() and mine.with_name("note.txt").read_text() == "of a person"


@pytest.mark.dear
def test_own_files_are_replaced(place: dict[str, Path], tmp_path: Path) -> None:
    """Each kind of output twice: hwgen knows what it has written."""
    context = api.Context(work=tmp_path / "work", console=None)
    network, arch = place["n"], place["a"]
    calls: tuple[Callable[[], Any], ...] = (
        lambda: api.fit(network, "few.npz", rule="text", calibration=1, context=context),
        lambda: api.import_network(place["f"], "imported.npz"),
        lambda: api.export_onnx(network, "out.onnx"),
        lambda: api.compile(network, arch, out="program.npz", context=context),
        lambda: api.model(network, arch, plot="m.svg", page="m.html", context=context),
        lambda: api.sweep(network, arch, {"cores": [1]}, plot="s.svg", context=context),
        lambda: api.sweep(network, arch, {"cores": [1]}, plot="s.png", context=context),
    )
    for call in calls:
        call()
        written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.is_file()}
        call()
        after = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.is_file()}
        assert after.keys() == written.keys() and after != written
