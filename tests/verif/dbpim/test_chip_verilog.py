"""The Verilog of whole chips: clean for Verilator, synthesizable, deterministic."""

import json
import re
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import emit
from hwgen.dbpim.facts.arch import load_arch, with_sparsity
from hwgen.dbpim.rtl.chip import Chip
from tests.verif.same_bytes import emitted_twice
from verif.lint import lint
from verif.yosys import synthesize

CONFIGS = Path(__file__).parents[3] / "configs" / "dbpim"
TOP = "dbpim_chip"


def emit_chip(config: str, sparsity: str, folder: Path) -> list[Path]:
    arch = with_sparsity(load_arch(CONFIGS / f"{config}.yaml"), sparsity)
    return emit(Chip(arch=arch), folder, parameters={})


@pytest.mark.dear("tiny-none")
@pytest.mark.promise(
    "Verilator -Wall is silent and synthesis finds no latch and no loop, dense and sparse"
)
@pytest.mark.parametrize("sparsity", ["all", "none"])
@pytest.mark.parametrize("config", ["small", "tiny"])
def test_lint_is_clean(config: str, sparsity: str, tmp_path: Path) -> None:
    assert lint(emit_chip(config, sparsity, tmp_path / "rtl"), top=TOP) == ""


@pytest.mark.long
@pytest.mark.parametrize(
    "config",
    sorted(path.stem for path in CONFIGS.glob("*.yaml") if not path.stem.startswith("best_")),
)
def test_lint_of_every_config(config: str, tmp_path: Path) -> None:
    parts = load_arch(CONFIGS / f"{config}.yaml").sparse_parts
    for sparsity in ("all", "none") if parts else ("none",):
        assert lint(emit_chip(config, sparsity, tmp_path / sparsity), top=TOP) == ""


@pytest.mark.long
@pytest.mark.parametrize("sparsity", ["all", "none"])
def test_no_latch_no_loop(sparsity: str, tmp_path: Path) -> None:
    found = synthesize(emit_chip("tiny", sparsity, tmp_path / "rtl"), top=TOP)
    print(found.table())
    assert not found.problems
    assert set(found.cells) >= {TOP, "dbpim_core", "dbpim_macro", "dbpim_cell_array"}


@pytest.mark.promise("32 equal macros are one module, and the same config gives the same bytes")
def test_each_module_once(tmp_path: Path) -> None:
    files = emit_chip("paper", "all", tmp_path / "rtl")
    text = "".join(file.read_text() for file in files)
    modules = re.findall(r"^module (\w+)", text, re.M)
    assert len(modules) == len(set(modules)) == len(files)
    assert len(re.findall(r"^  dbpim_core core_\d+ \(", text, re.M)) == 8
    assert len(re.findall(r"^  dbpim_macro macro_\d+ \(", text, re.M)) == 4


@pytest.mark.dear
def test_same_bytes_in_every_process(tmp_path: Path) -> None:
    found = emitted_twice("dbpim", CONFIGS / "tiny.yaml", tmp_path)
    assert found[0] == found[1]
    assert json.loads(found[0]["manifest.json"])["top"] == TOP
