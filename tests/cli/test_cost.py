"""`hwgen cost` as a person uses it: one sentence for what is wrong, and a whole small chip."""

import json
import sys
from pathlib import Path

import pytest

from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.facts.storage import storage
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
    code, shown, err = hwgen(*given, "--work", tmp_path / "work")
    assert code == 0, err
    energy = json.loads(out.read_text(encoding="utf-8"))["energy"]
    assert energy["unit"] == "dbpim_core"
    assert energy["events"]["bit_planes"] > 0
    assert {block["table_pj"] for block in energy["blocks"]} == {None}
    assert energy["netlist_pj"] == sum(block["netlist_pj"] for block in energy["blocks"]) > 0
    assert "zero delay" in shown


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
    assert "--network must be left out with replace" in err


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
