"""`hwgen layout` of small modules: its files, what it refuses, and what it draws."""

import json
import re
from pathlib import Path

import pytest

from hwgen import api
from hwgen.cli import main
from hwgen.layout import search
from hwgen.report.layout import LayoutReport

DBMU = ("layout", "dbpim/tiny", "--module", "dbpim_dbmu")


@pytest.mark.promise(
    "`hwgen layout` maps a module to cells of SKY130, places and routes it without a conflict, and"
    " writes GDS, LEF, DEF, SPEF, SPICE and netlists"
)
def test_files(made: tuple[Path, LayoutReport]) -> None:
    folder, report = made
    assert report.rounds[-1] == 0 and report.gates == 100
    names = {path.name for path in folder.iterdir()}
    ends = ("gds", "lef", "def", "spef", "spice", "svg", "v", "power.v")
    assert {f"dbpim_dbmu.{end}" for end in ends} <= names
    assert json.loads((folder / "layout.json").read_text())["rounds"] == report.rounds
    assert sum(wire.um for wire in report.wires) > 500


def test_the_gds_holds_each_gate_and_names_each_port(made: tuple[Path, LayoutReport]) -> None:
    from klayout import db

    folder, report = made
    layout = db.Layout()
    layout.read(str(folder / "dbpim_dbmu.gds"))
    top = layout.cell("dbpim_dbmu")
    kinds = [each.cell.name for each in top.each_inst()]
    fixed = re.compile("decap|fill|tap")
    assert sum(not fixed.search(kind) for kind in kinds) == report.gates
    texts = {
        shape.text_string for shape in top.shapes(layout.layer(69, 5)).each() if shape.is_text()
    }
    netlist = (folder / "dbpim_dbmu.v").read_text()
    ports = re.findall(r"^  (?:in|out)put (?:\[(\d+):0\] )?(\w+)", netlist, re.M)
    assert texts == {
        f"{name}[{bit}]" if most else name
        for most, name in ports
        for bit in range(int(most or 0) + 1)
    }


def test_def_and_spef_tell_the_same_nets(made: tuple[Path, LayoutReport]) -> None:
    folder, _ = made
    routed = re.findall(
        r"^- (\S+) (?:\( \S+ \S+ \) ?)+$", (folder / "dbpim_dbmu.def").read_text(), re.M
    )
    told = re.findall(r"^\*D_NET (\S+)", (folder / "dbpim_dbmu.spef").read_text(), re.M)
    assert sorted(routed) == sorted(name.replace("\\", "") for name in told) and routed


def test_a_seed_gives_the_same_layout_again(
    made: tuple[Path, LayoutReport], tmp_path: Path
) -> None:
    folder, report = made
    again = api.layout("dbpim/tiny", out=tmp_path / "again", module="dbpim_dbmu")
    other = api.layout("dbpim/tiny", out=tmp_path / "other", module="dbpim_dbmu", seed=2)
    first = (folder / "dbpim_dbmu.gds").read_bytes()
    assert (tmp_path / "again/dbpim_dbmu.gds").read_bytes() == first
    assert (tmp_path / "other/dbpim_dbmu.gds").read_bytes() != first
    assert (again.wires, again.gates) == (report.wires, other.gates)


@pytest.mark.promise(
    "`hwgen layout` refuses an unknown module or technology, and a module of too many gates, in one"
    " sentence"
)
def test_refusals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*given: str) -> str:
        assert main([*given, "--out", str(tmp_path / "out")]) == 2
        assert not (tmp_path / "out").exists()
        return " ".join(capsys.readouterr().err.split())

    assert "did you mean dbpim_dbmu" in said(*DBMU[:3], "dbpim_dbmo")
    assert "--pdk must be sky130, got sky13" in said(*DBMU, "--pdk", "sky13")
    monkeypatch.setattr("hwgen.commands.layout.MOST_GATES", 99)
    assert "at most 99 gates, got 100" in said(*DBMU)


def test_a_folder_of_others_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main([*DBMU, "--out", str(tmp_path)]) == 2
    assert "mine.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_heap_gives_the_least_first() -> None:
    import numpy as np

    keys, heap = np.zeros(8, np.float32), np.zeros(8, np.int32)
    size = 0
    for key in (5, 1, 4, 2, 3):
        size = search.push(keys, heap, size, np.float32(key), key)
    found = []
    while size:
        found.append(int(heap[0]))
        size = search.pop(keys, heap, size)
    assert found == [1, 2, 3, 4, 5]
