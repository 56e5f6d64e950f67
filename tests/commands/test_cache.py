"""`hwgen cache` lists what commands keep and clears it; what is no cache stays."""

import json
from pathlib import Path

import pytest

from hwgen.cli import main
from hwgen.commands.cache import ALL, KINDS

DIGEST = "0123456789abcdef"
ENTRIES = {
    "simulators": "sim/host-0123456789ab/host",
    "verilog": f"verilog/small-build-{DIGEST}/top.v",
    "programs": f"programs/net-small-{DIGEST}.npz",
    "imported": f"imported/net-{DIGEST}.npz",
    "drawn": f"drawn/resnet-{DIGEST}.npz",
    "maps": f"maps/{DIGEST}-{DIGEST}.npz",
    "points": f"points/{4 * DIGEST}.json",
    "search": f"search/{4 * DIGEST}.json",
    "trainings": f"train/mine-{DIGEST}/network.npz",
}
"""A file of each kind below the work folder."""
MINE = ("programs/mine.npz", "sim/notes.txt", "verilog/chip/top.v", "train/resnet20/network.npz")
"""Files of a person in the same folders."""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work folder with a result of each kind, and a user's cache."""
    monkeypatch.delenv("HWGEN_BUILD_ROOT", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    folder = tmp_path / "work"
    for name in (*ENTRIES.values(), *MINE):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * 1000)
    compiled = tmp_path / "user/hwgen" / f"numba-{DIGEST}" / "f.nbc"
    compiled.parent.mkdir(parents=True)
    compiled.write_bytes(b"x" * 2000)
    return folder


def listed(work: Path, *options: str) -> dict[str, dict[str, object]]:
    report = work.parent / "report.json"
    assert main(["cache", "--work", str(work), "--json", str(report), *options]) == 0
    return {kind["name"]: kind for kind in json.loads(report.read_text())["kinds"]}


@pytest.mark.promise(
    "what commands keep is listed with its size and cleared by kind; what is no cache stays,"
    " and trainings go only by their name"
)
def test_each_kind_is_listed_with_its_size(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = listed(work)
    assert kinds.keys() == KINDS.keys() == {*ENTRIES, "compiled"}
    assert {kind["entries"] for kind in kinds.values()} == {1}
    assert {kind["bytes"] for name, kind in kinds.items() if name != "compiled"} == {1000}
    assert kinds["compiled"]["bytes"] == 2000
    assert not any(kind["cleared"] for kind in kinds.values())
    assert "simulators of chips" in capsys.readouterr().out
    assert all((work / name).exists() for name in (*ENTRIES.values(), *MINE))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_cleared_alone(work: Path, kind: str) -> None:
    assert listed(work, "--clear", kind)[kind]["cleared"] is True
    left = {name for name, found in listed(work).items() if found["entries"]}
    assert left == KINDS.keys() - {kind}
    assert all((work / name).exists() for name in MINE)


def test_all_leaves_trainings_and_what_is_no_cache(work: Path) -> None:
    listed(work, "--clear", ALL)
    left = {name for name, found in listed(work).items() if found["entries"]}
    assert left == {"trainings"}
    assert all((work / name).exists() for name in MINE)


def test_an_unknown_kind_is_one_sentence(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "--work", str(work), "--clear", "programs,simulator"]) == 2
    error = capsys.readouterr().err
    assert "--clear must be of compiled, simulators" in error
    assert "got simulator: did you mean simulators?" in error
    assert (work / ENTRIES["programs"]).exists()


def test_what_lies_elsewhere_is_not_followed(work: Path) -> None:
    """A link is removed, what it leads to stays."""
    outside = work.parent / "outside"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    (work / f"verilog/link-{DIGEST}").symlink_to(outside)
    assert listed(work, "--clear", "verilog")["verilog"]["entries"] == 2
    assert (outside / "precious").read_text() == "mine"
    assert not (work / f"verilog/link-{DIGEST}").is_symlink()


def test_an_empty_place_is_a_list_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HWGEN_BUILD_ROOT", raising=False)
    kinds = listed(tmp_path / "absent")
    assert sum(kind["entries"] for name, kind in kinds.items() if name != "compiled") == 0
    assert not (tmp_path / "absent").exists()
