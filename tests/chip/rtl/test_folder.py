"""An output folder is replaced whole or stays as it was."""

import json
from pathlib import Path

import pytest

from hwgen.chip.rtl.folder import write_folder
from hwgen.errors import OutputError


def output(*names: str) -> dict[str, str]:
    """Return files as the emitter writes them: sources and a manifest that lists them."""
    manifest = {"format": "hwgen-verilog", "files": dict.fromkeys(names)}
    return {**dict.fromkeys(names, "text"), "manifest.json": json.dumps(manifest)}


def names_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.promise(
    "an output folder is replaced whole or not at all, and never one of somebody else"
)
def test_replaces_an_earlier_output_whole(tmp_path: Path) -> None:
    write_folder(tmp_path / "rtl", output("a.v", "b.v"))
    write_folder(tmp_path / "rtl", output("c.v"))
    assert names_below(tmp_path) == ["c.v", "manifest.json", "rtl"]


@pytest.mark.parametrize("foreign", [["thesis.tex"], ["a.v", "manifest.json", "notes.txt"]])
def test_refuses_what_it_did_not_write(foreign: list[str], tmp_path: Path) -> None:
    write_folder(tmp_path, output("a.v"))
    (tmp_path / foreign[-1]).touch()
    before = names_below(tmp_path)
    with pytest.raises(OutputError, match="must be new, empty or an earlier output, got"):
        write_folder(tmp_path, output("a.v"))
    assert names_below(tmp_path) == before


def test_refuses_the_manifest_of_another_program(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": "other", "files": {}}')
    with pytest.raises(OutputError, match=r"got manifest\.json in it"):
        write_folder(tmp_path, output("a.v"))


def test_an_unwritable_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="must be a folder, got a file"):
        write_folder(tmp_path / "file", output("a.v"))
    with pytest.raises(OutputError, match="the output folder must be writable, got Not a dir"):
        write_folder(tmp_path / "file" / "rtl", output("a.v"))
    assert names_below(tmp_path) == ["file"]
