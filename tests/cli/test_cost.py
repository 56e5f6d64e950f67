"""`hwgen cost` as a person uses it: one sentence for what is wrong, and a whole small chip."""

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.facts.storage import storage
from hwgen.report.cost import CostLibrary, CostPart, CostReport
from hwgen.report.files import schema_of
from hwgen.report.types import Source
from tests.cli.given import TINY, Command


@pytest.mark.promise("hwgen cost refuses what is wrong in one sentence")
def test_what_is_wrong_is_one_sentence(hwgen: Command, tmp_path: Path) -> None:
    (tmp_path / "text.lib").write_text("module m; endmodule")
    for given, sentence in (
        ([TINY, "--liberty", tmp_path / "none.lib"], "got no file"),
        ([TINY, "--liberty", tmp_path / "text.lib"], "must be a Liberty file"),
        ([TINY, "--plot", tmp_path / "plot.pdf"], "--plot must be a file that ends with .svg"),
    ):
        code, out, err = hwgen("cost", *given, "--work", tmp_path / "work")
        assert (code, out) == (2, "")
        assert sentence in err
        assert err.count("\n") == 1


def no_netlists(context: object, family: object, arch: Any, file: Path, **_: object) -> CostReport:
    """Return the report of a chip of which nothing was synthesized."""
    nothing = dict.fromkeys(("memory_um2", "gated", "slowest_ns", "table_um2"))
    zeros = ("logic_um2", "buffers_um2", "macros_um2", "memory_bits", "flip_flops", "leakage_uw")
    return CostReport(
        format="hwgen.report.cost",
        version=1,
        architecture=Source(name=arch.name, file=str(file), digest=arch.digest),
        configuration={},
        library=CostLibrary(name="cells", file="cells.lib", digest="0" * 64, licence=None),
        parts=[],
        total=CostPart(part="total", **nothing, **dict.fromkeys(zeros, 0)),
        modules=[],
        **dict.fromkeys(("slowest_ns", "mhz", "clock_mhz"), 1.0),
        period_ns=None,
        met=None,
        paths=[],
        synthesized=[],
        energy=None,
        assumptions=["no netlist"],
        versions={},
    )


@pytest.mark.promise("hwgen cost with --effects says what it costs to write the cells of a chip")
def test_what_writing_costs(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hwgen.commands.netlists.cost_of", no_netlists)
    given = ["cost", "crossbar/digits_small_cnn", "--effects", "effects/reram_study"]
    given += ["--work", tmp_path / "work", "--json", tmp_path / "report.json"]
    code, _, said = hwgen(*given)
    assert (code, said.count("\n")) == (2, 1)
    assert "--network must be given with --effects, since cells hold a network, got nothing" in said
    code, shown, said = hwgen(*given, "--network", "digits_small_cnn")
    assert code == 0, said
    assert (
        "by the figures of reram_study\nto write 298,336 cells in a load of the program:" in shown
    )
    assert "2,386,688 pulses, 23.87 uJ, 2,387 ms" in shown
    assert "cells wear out after 1.25e+05 times a load of the program" in shown
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, json.loads(schema_of(CostReport)))
    assert report["writing"]["cells"] == 298_336 and report["effects"]["name"] == "reram_study"


def test_without_pyosys_the_extra_is_named(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyosys", None)
    code, _, err = hwgen("cost", TINY, "--work", tmp_path)
    assert code == 2
    assert "the package pyosys is needed" in err


@pytest.mark.long
def test_the_netlist_of_a_core_follows_a_simulation(hwgen: Command, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    given = ["cost", TINY, "--network", "digits_small_cnn", "--json", out]
    given += ["--effects", "effects/sram_low_voltage"]
    code, shown, err = hwgen(*given, "--work", tmp_path / "work")
    assert code == 0, err
    energy = json.loads(out.read_text(encoding="utf-8"))["energy"]
    assert energy["unit"] == "dbpim_core"
    assert energy["events"]["bit_planes"] > 0
    assert {block["table_pj"] for block in energy["blocks"]} == {None}
    assert energy["netlist_pj"] == sum(block["netlist_pj"] for block in energy["blocks"]) > 0
    assert "zero delay" in shown and "by the figures of sram_low_voltage" in shown


@pytest.mark.long
def test_the_whole_of_a_small_chip(hwgen: Command, tmp_path: Path) -> None:
    out, plot = tmp_path / "report.json", tmp_path / "plot.svg"
    given = ["cost", TINY, "--json", out, "--work", tmp_path / "work", "--period", "1"]
    code, shown, err = hwgen(*given, "--plot", plot)
    assert code == 1, err
    assert "period 1 ns: not met" in shown
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["library"]["licence"] == "Apache-2.0"
    # Memories are those of the data sheet, bit for bit, and no flip-flops.
    assert report["total"]["memory_bits"] == sum(each.bits for each in storage(load_arch(TINY)))
    assert report["total"]["gated"] >= 0.95
    # The tables are of another library: nothing of them stands beside it.
    assert report["total"]["table_um2"] is None
    assert report["total"]["memory_um2"] is None
    assert len(report["paths"]) == 10
    assert report["paths"][0]["ns"] == report["slowest_ns"]
    assert "<svg" in plot.read_text(encoding="utf-8")
    code, _, _ = hwgen(*given[:-2], "--period", "1000", "--json", out)
    assert code == 0
    again = json.loads(out.read_text(encoding="utf-8"))
    assert again["synthesized"] == []
    assert again["parts"] == report["parts"]


ARRAY = Path(__file__).parents[2] / "docs/examples/my_array"


def test_energy_needs_the_netlists_of_all_parts(hwgen: Command, tmp_path: Path) -> None:
    given = [ARRAY / "chip.yaml", "--replace", f"dots={ARRAY / 'my_array.yaml'}"]
    code, _, err = hwgen("cost", *given, "--network", "digits_small_cnn", "--work", tmp_path)
    assert code == 2
    assert "--network must be left out with --replace" in err


@pytest.mark.long
def test_a_replacement_costs_what_its_file_says(hwgen: Command, tmp_path: Path) -> None:
    """Two modules stand for `dots` of each macro; nothing that they replace is counted."""
    out = tmp_path / "report.json"
    given = [ARRAY / "chip.yaml", "--json", out, "--work", tmp_path / "work"]
    code, shown, err = hwgen("cost", *given, "--replace", f"dots={ARRAY / 'my_array.yaml'}")
    assert code == 0, err
    assert "dots is my_array; its figures: none; made up to show where figures go" in shown
    report = json.loads(out.read_text(encoding="utf-8"))
    modules = {each["module"]: each for each in report["modules"]}
    assert "dbpim_cell_array" not in modules
    assert modules["my_array"]["instances"] == 2 * modules["dbpim_dots"]["instances"] == 8
    assert report["total"]["macros_um2"] == 8 * 4200.0
    assert {part["part"] for part in report["parts"] if part["macros_um2"]} == {"trees"}
