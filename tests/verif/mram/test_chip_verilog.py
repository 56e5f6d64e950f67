"""The Verilog of whole MRAM chips: free of lint, of latches and of loops; deterministic."""

import re
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import emit
from hwgen.mram.rtl.chip import Chip
from tests.verif.mram.chips import CONFIGS, chip_arch
from tests.verif.same_bytes import emitted_twice
from verif.lint import lint
from verif.yosys import synthesize

TOP = "mram_chip"


def emit_chip(config: str, folder: Path) -> list[Path]:
    return emit(Chip(arch=chip_arch(config)), folder, parameters={})


@pytest.mark.long
@pytest.mark.parametrize("config", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_lint_of_every_config(config: str, tmp_path: Path) -> None:
    assert lint(emit_chip(config, tmp_path / "rtl"), top=TOP) == ""


@pytest.mark.long
def test_no_latch_no_loop(tmp_path: Path) -> None:
    found = synthesize(emit_chip("tiny", tmp_path / "rtl"), top=TOP)
    print(found.table())
    assert not found.problems
    assert set(found.cells) >= {TOP, "mram_octet", "mram_compute_array", "mram_cell_array_1"}


@pytest.mark.promise(
    "equal sub-arrays are one module, the same config gives the same bytes, and synthesis finds"
    " no latch and no loop"
)
def test_each_module_once(tmp_path: Path) -> None:
    files = emit_chip("paper", tmp_path / "rtl")
    text = "".join(file.read_text() for file in files)
    modules = re.findall(r"^module (\w+)", text, re.M)
    assert len(modules) == len(set(modules)) == len(files)
    assert len(re.findall(r"^  mram_octet octet_\d+ \(", text, re.M)) == 8
    assert len(re.findall(r"^  mram_compute_array array_\d+ \(", text, re.M)) == 8
    assert len(re.findall(r"^  mram_cell_array_1 cells \(", text, re.M)) == 1


@pytest.mark.dear
def test_same_bytes_in_every_process(tmp_path: Path) -> None:
    found = emitted_twice("mram", CONFIGS / "tiny.yaml", tmp_path)
    assert found[0] == found[1]
