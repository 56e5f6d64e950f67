"""Registers at the clock edge: which blocks are joined, and that no register of a chip stays."""

import re
from pathlib import Path

import pytest

from hwgen.chip.rtl.clocked import clock_registers
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.netlist_text import read_netlist
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.rtl.chip import Chip

TINY = Path(__file__).parents[3] / "configs" / "dbpim" / "tiny.yaml"

MODULE = r"""module counter(clk, rst, en, total);
  reg \$auto$verilog_backend.cc:2316:dump_module$1  = 0;
  input clk;
  wire clk;
  input rst;
  wire rst;
  input en;
  wire en;
  output [7:0] total;
  reg [7:0] total = 8'h01;
  reg [7:0] \$7 ;
  reg \$8 ;
  always @(posedge clk)
    total <= \$7 ;
{other}  always @* begin
    if (\$auto$verilog_backend.cc:2316:dump_module$1 ) begin end
    \$7  = total;
    casez (en)
      1'h0:
          /* empty */;
      1'h1:
          { \$7 [7], \$7 [0] } = 2'h2;
    endcase
    if (rst) begin
      \$7  = 8'h01;
    end
  end
endmodule
"""
CLOCKED = """
  always @(posedge clk) begin
    if (rst) begin
      total <= 8'h01;
    end else begin
      casez (en)
        1'h0:
            /* empty */;
        1'h1:
            { total[7], total[0] } <= 2'h2;
      endcase
    end
  end"""


def blocks(text: str) -> list[list[str]]:
    """Return the blocks of a module of Yosys' text after the step."""
    module = read_netlist(text)
    clock_registers(module)
    return module.blocks


@pytest.mark.promise(
    "emitted registers are written at the clock edge, their reset first, without a copy of what"
    " they take"
)
def test_a_next_value_is_computed_at_the_edge() -> None:
    (block,) = blocks(MODULE.replace("{other}", ""))
    assert "\n" + "\n".join(block) == CLOCKED


@pytest.mark.parametrize(
    "module",
    [
        MODULE.replace("{other}", "  assign next = \\$7 ;\n"),
        MODULE.replace("{other}", "  always @(posedge clk)\n    copy <= \\$7 ;\n"),
        MODULE.replace("2'h2;", "2'h2;\n          \\$8  = 1'h0;").replace("{other}", ""),
        MODULE.replace("2'h2;", "2'h2;\n          idle = 1'h0;").replace("{other}", ""),
        MODULE.replace("= total;", "= \\$7 ;").replace("{other}", ""),
    ],
    ids=["read elsewhere", "two registers", "two targets", "another target", "reads itself"],
)
def test_other_blocks_stay(module: str) -> None:
    assert blocks(module) == read_netlist(module).blocks


def test_the_reset_of_a_chip_acts_at_the_edge_alone() -> None:
    text = "\n".join(verilog_modules(Chip(arch=load_arch(TINY))).values())
    resets = re.findall(r"^    if \(rst\) begin$", text, re.M)
    assert len(resets) > 100
    found = re.findall(r"^  always @\* begin\n.*?^  end\n", text, re.M | re.S)
    assert found and not any("(rst)" in block for block in found)
    copies = re.findall(r"^ +(\S+) <= \1;$", text, re.M)
    assert not copies
