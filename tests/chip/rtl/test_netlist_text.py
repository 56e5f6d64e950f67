"""A module of Yosys' text in its parts: names, declarations, and that nothing is left out."""

import pytest

from hwgen.chip.rtl.netlist_text import read_netlist

MODULE = r"""module \top.part (clk, a, \end , q);
  reg \$auto$verilog_backend.cc:2316:dump_module$9  = 0;
  (* src = "nowhere" *)
  wire signed [8:0] \$sums$4 ;
  wire \$1 ;
  wire [-1:0] nothing;
  input clk;
  wire clk;
  input [7:0] a;
  wire [7:0] a;
  input \end ;
  wire \end ;
  output [7:0] q;
  reg [7:0] q = 8'h05;
  wire \plain$2 ;
  reg [7:0] cells [3:0];
  initial begin
    cells[0] = 8'h01;
  end
  assign \$sums$4  = a + q;
  assign \$1  = ~ \end ;
  part one (
    .a(\$1 )
  );
  always @(posedge clk)
    q <= \$sums$4 [7:0];
endmodule
"""


def test_every_line_has_its_place() -> None:
    module = read_netlist(MODULE)
    assert (module.name, module.ports) == ("\\top.part ", ["clk", "a", "\\end ", "q"])
    assert module.assigns == [("§1", "a + q"), ("§2", "~ \\end ")]
    assert module.hints == {"§1": "sums", "§2": ""}
    assert module.instances == [["  part one (", "    .a(§2)", "  );"]]
    assert [block[0] for block in module.blocks] == ["  initial begin", "  always @(posedge clk)"]
    net = module.nets["§1"]
    assert (net.width, net.signed, net.is_register) == (9, True, False)
    register = module.nets["q"]
    assert (register.width, register.direction, register.initial) == (8, "output", "8'h05")
    assert module.nets["cells"].words == "3:0"
    assert module.nets["plain$2"].width == 1
    assert "nothing" not in module.nets


@pytest.mark.parametrize("line", ["  force q = 1;", "  wor a;", "  always_comb q = 1;"])
def test_an_unknown_line_is_refused(line: str) -> None:
    """What Yosys may write one day is not lost in silence."""
    with pytest.raises(ValueError, match=line.strip().split()[0]):
        read_netlist(MODULE.replace("  wire \\$1 ;", line))
    with pytest.raises(ValueError, match="nothing"):
        read_netlist("nothing\n" + MODULE)
