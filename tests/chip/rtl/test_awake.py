"""Each combinational block has run at time zero, under Icarus too."""

import subprocess
from pathlib import Path

import pytest

from hwgen.chip.rtl.awake import wake
from hwgen.chip.rtl.module_text import Sentences, readable
from hwgen.chip.rtl.netlist_text import read_netlist

START = r"\$auto$verilog_backend.cc:2316:dump_module$1 "
MODULE = rf"""module top(clk, where, h1, found, chosen, q);
  reg {START} = 0;
  input clk;
  input [3:0] where;
  input h1;
  output found;
  output [1:0] chosen;
  output q;
  reg found;
  reg [1:0] chosen;
  reg q = 1'h1;
  always @* begin
    if ({START}) begin end
    found = 1'h0;
    casez (where)
      4'h0:
          found = 1'h1;
    endcase
  end
  always @*
    chosen[0] = h1;
  always @* begin
    if ({START}) begin end
    chosen[1] = 1'h1;
    if (where[0]) begin
      chosen[1] = q;
    end
  end
  always @(posedge clk)
    q <= h1;
endmodule
"""
BENCH = """module bench;
  reg clk = 0, level = 1;
  reg [3:0] where = 0;
  wire found, q;
  wire [1:0] chosen;
  top top (.clk(clk), .where(where), .h1(level), .found(found), .chosen(chosen), .q(q));
  initial #1 $display("%b %b", found, chosen);
endmodule
"""


def test_blocks_that_read_no_register_read_one_more() -> None:
    module = read_netlist(MODULE)
    assert wake(module) == "awake"
    assert module.blocks[0][:2] == ["  always @* begin", "    if (awake) begin end"]
    assert module.blocks[1] == [
        "  always @* begin",
        "    if (awake) begin end",
        "    chosen[0] = h1;",
        "  end",
    ]
    assert not any("awake" in line for lines in module.blocks[2:] for line in lines)
    assert module.nets["awake"].initial == "1'h1"


def test_a_module_without_such_blocks_has_no_such_register() -> None:
    module = read_netlist(MODULE)
    module.blocks = module.blocks[2:]
    assert wake(module) == ""
    assert "awake" not in module.nets


def test_a_signal_of_that_name_keeps_it() -> None:
    module = read_netlist(MODULE.replace("h1", "awake"))
    assert wake(module) == "awake_"


@pytest.mark.promise(
    "a combinational block whose inputs never change has its value from the start, under Icarus"
)
@pytest.mark.parametrize("generation", ["2005", "2012"])
def test_outputs_are_defined_though_no_input_changes(
    generation: str, icarus: str, tmp_path: Path
) -> None:
    (tmp_path / "top.v").write_text(readable(MODULE, Sentences()) + BENCH, encoding="ascii")
    command = ["iverilog", f"-g{generation}", "-s", "bench", "-o", "top.vvp", "top.v"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run(
        ["vvp", "-n", "top.vvp"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert said.stdout.split() == ["1", "11"]
