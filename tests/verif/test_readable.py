"""How readable the Verilog of shipped chips is, in numbers that a chip may not exceed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.crossbar.facts.arch import load_arch as crossbar_arch
from hwgen.crossbar.rtl.chip import Chip as CrossbarChip
from hwgen.dbpim.facts.arch import load_arch as dbpim_arch
from hwgen.dbpim.rtl.chip import Chip as DbpimChip
from hwgen.mram.facts.arch import load_arch as mram_arch
from hwgen.mram.rtl.chip import Chip as MramChip
from verif.readable import (
    LONG,
    MOST_LINES,
    Counted,
    counted,
    nameless_registers,
    places,
    too_long,
)

CONFIGS = Path(__file__).parents[2] / "configs"
WIDEST = 160
MOST_COPIES = 3.0
"""Percent of expressions."""
MODULE = """module top(
  input a
);
  wire [3:0] _n1;
  wire \\$2 ;
  wire first;
  reg \\$start ;
  assign _n1 = a + first;
  assign \\$2  = a +
      first;
  assign first = a;
  always @* begin
    if (awake) begin end
  end
endmodule
"""


def test_what_counts() -> None:
    """A value in two lines is one; `first` has a name, and its value no operator."""
    longest = max(map(len, MODULE.splitlines()))
    assert counted([MODULE]) == Counted(
        lines=15, nameless=3, expressions=2, copies=1, longest=longest
    )
    assert counted([MODULE, MODULE]).copied() == 50


@pytest.mark.promise("bits above the 15th that Verilog reads by number are counted by signal")
def test_places() -> None:
    text = "  wire [31:0] w;\n  assign a = w[16] | w[31:20] | w[15] | v[LSB + 3] | u[2 * 8 +: 8];\n"
    assert places({"top": text}) == {("top", "w"): 2}


def test_a_long_module_is_told() -> None:
    text = "\n" * (MOST_LINES + 1)
    assert too_long({"a": text, "b": "\n" * MOST_LINES, next(iter(LONG)): text}) == {
        "a": MOST_LINES + 1
    }


@pytest.mark.dear("x$12-True")
@pytest.mark.parametrize(("name", "is_nameless"), [("_n3", True), ("x$12", True), ("held", False)])
def test_a_register_without_a_name_is_told(name: str, is_nameless: bool) -> None:
    """A variable of a block that no clock sets is no register."""
    text = f"  reg [3:0] {name};\n  reg _n9;\n  always @(posedge clk)\n    {name} <= a;\n"
    text += "  always @* _n9 = a;\n"
    assert nameless_registers([text]) == ([name] if is_nameless else [])


@pytest.mark.promise(
    "few nets of emitted Verilog are without a name, no expression is written twice, no line has"
    " more than 160 characters"
)
@pytest.mark.parametrize(
    ("chip", "nameless"),
    [
        pytest.param(lambda: DbpimChip(arch=dbpim_arch(CONFIGS / "dbpim/small.yaml")), 178),
        pytest.param(lambda: MramChip(arch=mram_arch(CONFIGS / "mram/small.yaml")), 118),
        pytest.param(
            lambda: DbpimChip(arch=dbpim_arch(CONFIGS / "dbpim/small_rows.yaml")),
            274,
            marks=pytest.mark.long,
        ),
        pytest.param(
            lambda: CrossbarChip(arch=crossbar_arch(CONFIGS / "crossbar/digits_small_cnn.yaml")),
            439,
            marks=pytest.mark.long,
        ),
    ],
    ids=["dbpim/small", "mram/small", "dbpim/small_rows", "crossbar/digits_small_cnn"],
)
def test_shipped_chips(chip: Callable[[], Any], nameless: int) -> None:
    modules = verilog_modules(chip())
    found = counted(modules.values())
    assert not too_long(modules)
    assert not nameless_registers(modules.values())
    assert found.expressions > 300
    assert found.nameless <= nameless
    assert found.copied() <= MOST_COPIES
    assert found.longest <= WIDEST


def test_a_folder_is_counted(tmp_path: Path) -> None:
    (tmp_path / "top.v").write_text(MODULE)
    (tmp_path / "files.f").write_text("top.v\n")
    command = [sys.executable, "-m", "verif.readable", str(tmp_path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "| 15 | 3 | 2 | 1, 50.0 |" in said
