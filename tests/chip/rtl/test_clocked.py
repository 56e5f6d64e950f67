"""Next values of registers at the clock edge: which blocks move, and that no register stays."""

import re
from pathlib import Path

import pytest

from hwgen.chip.rtl.clocked import clocked
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.rtl.chip import Chip

TINY = Path(__file__).parents[3] / "configs" / "dbpim" / "tiny.yaml"

MODULE = r"""
module counter(clk, rst, en, total);
  reg [7:0] \$7 ;
  reg [7:0] total = 8'h01;
  always @(posedge clk)
    total <= \$7 ;
{other}  always @* begin
    if (\$start ) begin end
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
CLOCKED = r"""
module counter(clk, rst, en, total);
  reg [7:0] \$7 ;
  reg [7:0] total = 8'h01;
  always @(posedge clk) begin
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
    total <= \$7 ;
  end
endmodule
"""
SECOND_TARGET = MODULE.replace("2'h2;", "2'h2;\n          \\$8  = 1'h0;")
PLAIN_TARGET = MODULE.replace("2'h2;", "2'h2;\n          idle = 1'h0;")


@pytest.mark.promise(
    "emitted registers compute their next values at the clock edge, and all else stays as Yosys"
    " wrote it"
)
def test_a_next_value_is_computed_at_the_edge() -> None:
    assert clocked(MODULE.replace("{other}", "")) == CLOCKED


@pytest.mark.parametrize(
    "module",
    [
        MODULE.replace("{other}", "  assign next = \\$7 ;\n"),
        MODULE.replace("{other}", "  always @(posedge clk)\n    copy <= \\$7 ;\n"),
        SECOND_TARGET.replace("{other}", ""),
        PLAIN_TARGET.replace("{other}", ""),
    ],
    ids=["read elsewhere", "two registers", "two targets", "a target that is no next value"],
)
def test_other_blocks_stay(module: str) -> None:
    assert clocked(module) == module


def test_the_reset_of_a_chip_acts_at_the_edge_alone() -> None:
    text = "\n".join(verilog_modules(Chip(arch=load_arch(TINY))).values())
    resets = re.findall(r"^    if \(rst\) begin$", text, re.M)
    assert len(resets) > 100
    blocks = re.findall(r"^  always @\* begin\n.*?^  end\n", text, re.M | re.S)
    assert blocks and not any("(rst)" in block for block in blocks)
