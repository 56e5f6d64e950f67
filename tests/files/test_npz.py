"""The sizes of arrays are checked before any of them is read."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.errors import FormatError
from hwgen.files import npz


def array(value: Any) -> bytes:
    target = io.BytesIO()
    np.save(target, value)
    return target.getvalue()


def written(folder: Path, *members: tuple[str, bytes]) -> Path:
    path = folder / "file.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(FormatError) as caught:
        npz.read_npz(path, what="file", allowed="arrays")
    return str(caught.value).removesuffix(f" ({path})")


def test_arrays_come_back(tmp_path: Path) -> None:
    given = {
        "a": np.arange(6, dtype=np.int16).reshape(2, 3),
        "b": np.array(7),
        "c": np.zeros((0, 4)),
    }
    npz.write_npz(tmp_path / "file.npz", given, what="file")
    found = npz.read_npz(tmp_path / "file.npz", what="file", allowed="arrays")
    assert list(found) == ["a", "b", "c"]
    for name, value in given.items():
        assert found[name].dtype == value.dtype
        assert np.array_equal(found[name], value)


@pytest.mark.promise(
    "sizes of arrays are checked before they are read, and facts of networks and programs are"
    " validated"
)
def test_a_header_asks_for_what_the_member_has(tmp_path: Path) -> None:
    whole = array(np.zeros(100, np.uint8))
    for content in (whole[:-1], whole + b"x", whole.replace(b"(100,)", b"(99,) ")):
        assert refused(written(tmp_path, ("a.npy", content))) == (
            "the file must be arrays, got a damaged file"
        )


def test_objects_are_no_arrays(tmp_path: Path) -> None:
    target = io.BytesIO()
    np.save(target, np.array([{}], object), allow_pickle=True)
    assert refused(written(tmp_path, ("a.npy", target.getvalue()))).endswith("got a damaged file")


def test_an_array_stands_once(tmp_path: Path) -> None:
    content = array(np.zeros(3))
    with pytest.warns(UserWarning, match="Duplicate"):
        path = written(tmp_path, ("a.npy", content), ("a.npy", content))
    assert refused(path) == "every array must be there once, got one twice"


def test_every_member_is_an_array(tmp_path: Path) -> None:
    assert refused(written(tmp_path, ("a", b""))) == "every member must be an array, got a"


def test_all_arrays_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = array(np.zeros(100, np.uint8))
    path = written(tmp_path, ("a.npy", content), ("b.npy", content))
    monkeypatch.setattr(npz, "MOST_BYTES", 2 * len(content))
    assert len(npz.read_npz(path, what="file", allowed="arrays")) == 2
    monkeypatch.setattr(npz, "MOST_BYTES", 2 * len(content) - 1)
    assert refused(path).startswith("the file must be arrays with at most")
