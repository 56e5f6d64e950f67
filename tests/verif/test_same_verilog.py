"""Two texts of a module are compared by SAT: what is the same is proved, a fault is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from verif.same_verilog import DIFFERS, compare, compare_all

BEFORE = """module top(clk, rst, a, q);
  input clk;
  input rst;
  input [3:0] a;
  output [3:0] q;
  reg [3:0] \\$signal$3 ;
  reg [3:0] other;
  wire [4:0] \\$1 ;
  assign \\$1  = a + \\$signal$3 ;
  below below (
    .d(\\$1 [3:0]),
    .q(q)
  );
  always @(posedge clk)
    if (rst) \\$signal$3  <= 4'h0;
    else \\$signal$3  <= \\$1 [3:0];
  always @(posedge clk)
    other <= \\$signal$3 ;
endmodule
"""
AFTER = """module top(
  input clk,
  input rst,
  input [3:0] a,
  output [3:0] q
);
  reg [3:0] sum;
  reg [3:0] other;
  below below (
    .d(a + sum),
    .q(q)
  );
  always @(posedge clk) begin
    if (rst) begin
      sum <= 4'h0;
    end else begin
      sum <= sum + a;
    end
  end
  always @(posedge clk) begin
    other <= sum;
  end
endmodule
"""
BELOW = "module below(input [3:0] d, output [3:0] q);\n  assign q = d;\nendmodule\n"


@pytest.mark.promise(
    "two texts of a module are proved the same by SAT, whatever the names of nets inside"
)
def test_the_same_is_proved() -> None:
    modules = [{"top": each, "below": BELOW} for each in (BEFORE, AFTER)]
    found = list(compare_all(*modules))
    assert [(one.name, one.is_same) for one in found] == [("below", True), ("top", True)]
    with pytest.raises(ValueError, match="below"):
        list(compare_all(modules[0], {"top": AFTER}))


@pytest.mark.dear("next value")
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("sum <= sum + a", "sum <= sum | a"),
        ("sum <= 4'h0", "sum <= 4'h1"),
        (".d(a + sum)", ".d(a - sum)"),
    ],
    ids=["next value", "reset", "pin"],
)
def test_a_fault_is_not_proved(right: str, wrong: str) -> None:
    assert AFTER.count(right) == 1
    before, after = {"top": BEFORE, "below": BELOW}, {"top": AFTER.replace(right, wrong)}
    found = compare("top", before, after | {"below": BELOW})
    assert not found.is_same
    assert found.said == DIFFERS


def test_folders_are_compared(tmp_path: Path) -> None:
    for name, text in (("before", BEFORE), ("after", AFTER)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "files.f").write_text("top.v\nbelow.v\n")
        (folder / "top.v").write_text(text)
        (folder / "below.v").write_text(BELOW)
    command = [sys.executable, "-m", "verif.same_verilog", "before", "after"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 of 2 modules are proved the same" in done.stdout
