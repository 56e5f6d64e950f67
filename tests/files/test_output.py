"""A file is written whole or not at all, and over nothing but an earlier file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import OutputError
from hwgen.files.folder import add_files, replace_folder
from hwgen.files.npz import read_npz, write_npz
from hwgen.files.output import check_writable, whole_file, write_text


def names_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.promise("every file is written whole or not at all")
def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page"
    write_text(path, "first", what="page")
    write_text(path, "ü", what="page")
    assert path.read_bytes() == "ü".encode()
    assert names_below(tmp_path) == ["new", "new/page"]


def test_a_file_that_is_not_finished_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_text("earlier")
    with pytest.raises(ZeroDivisionError), whole_file(path, what="page") as fresh:
        fresh.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "earlier"
    assert names_below(tmp_path) == ["page"]


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "page"
    with pytest.raises(OutputError) as caught, whole_file(path, what="page") as fresh:
        fresh.write_text("half")
        raise OSError(28, "No space left on device")
    assert str(caught.value) == (
        f"the page must be writable at {path}, got No space left on device"
    )
    assert names_below(tmp_path) == []


def arrays(path: Path) -> None:
    write_npz(path, {"a": np.zeros(3)}, what="page")


def text(path: Path) -> None:
    write_text(path, "text", what="page")


@pytest.mark.parametrize("write", [arrays, text])
@pytest.mark.parametrize("target", ["file", "nothing"])
def test_what_a_link_names_stays(
    write: Callable[[Path], None], target: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(OutputError) as caught:
        write(link)
    assert str(caught.value) == f"the page must be writable at {link}, got a symbolic link"
    assert (link.readlink(), (tmp_path / "file").read_text()) == (Path(target), "mine")
    assert names_below(tmp_path) == ["file", "link"]


def test_a_device_stays() -> None:
    with pytest.raises(OutputError, match="at /dev/null, got a device, a pipe or a socket"):
        text(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


def test_archives_are_complete(tmp_path: Path) -> None:
    arrays(tmp_path / "a.npz")
    assert read_npz(tmp_path / "a.npz", what="page", allowed="here")["a"].tolist() == [0, 0, 0]
    assert names_below(tmp_path) == ["a.npz"]


def two_files(folder: Path) -> str:
    (folder / "a").write_text("new")
    (folder / "b").write_text("new")
    return "both"


def test_files_are_added_and_others_stay(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    assert add_files(out, two_files) == "both"
    (out / "a").write_text("old")
    (out / "b").write_text('{"format": "hwgen.report.info"}')
    (out / "c").write_text("old")
    add_files(out, two_files)
    assert {name: (out / name).read_text() for name in "abc"} == dict(a="new", b="new", c="old")
    assert names_below(tmp_path) == ["deep", "deep/out", "deep/out/a", "deep/out/b", "deep/out/c"]


@pytest.mark.promise("no output replaces an input, another output, a device or what a link names")
def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    with pytest.raises(OutputError) as caught:
        add_files(tmp_path, two_files)
    assert str(caught.value) == (
        "b must be a new file or one of an earlier output of hwgen, got another file"
        f" ({tmp_path / 'b'})"
    )
    assert names_below(tmp_path) == ["b"] and (tmp_path / "b").read_text() == "mine"


def test_all_files_are_added_or_none(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "b").mkdir(parents=True)
    with pytest.raises(OutputError) as caught:
        add_files(out, two_files)
    assert str(caught.value) == f"b must be a file, got a folder ({out / 'b'})"
    assert names_below(tmp_path) == ["out", "out/b"]


def test_a_linked_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to("mine")
    sentence = "the output folder must be a folder, got a symbolic link"
    with pytest.raises(OutputError, match=sentence):
        replace_folder(tmp_path / "link", lambda _: set(), lambda fresh: None)
    with pytest.raises(OutputError, match=sentence):
        add_files(tmp_path / "link", two_files)
    assert names_below(tmp_path) == ["link", "mine"]


@pytest.mark.promise(
    "an output replaces no device, link or input, and a place that takes no files is refused"
    " before the work"
)
def test_a_place_that_takes_no_files_is_noticed_first(tmp_path: Path) -> None:
    check_writable(tmp_path / "new/folder/file", "--out")
    for path, reason in {
        Path("/proc/none/new"): "No such file or directory",
        Path("/dev/full/new"): "Not a directory",
        tmp_path / ("x" * 256): "File name too long",
    }.items():
        with pytest.raises(OutputError) as caught:
            check_writable(path, "--out")
        assert str(caught.value) == f"--out must be writable at {path}, got {reason}"
    assert not list(tmp_path.iterdir())


def test_the_longest_name_is_written(tmp_path: Path) -> None:
    write_text(tmp_path / ("x" * 255), "content", what="report")
    assert [path.name for path in tmp_path.iterdir()] == ["x" * 255]
