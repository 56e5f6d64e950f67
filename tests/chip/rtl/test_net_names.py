"""Names of nets without a signal: after their hint, numbered, and no word of the language."""

from hwgen.chip.rtl.net_names import names_of_nets, read_in_part
from hwgen.chip.rtl.netlist_text import NetlistText, read_netlist

MODULE = r"""module top(a, taken, y);
  input [7:0] a;
  input taken;
  output [7:0] y;
  wire [7:0] \$total$1 ;
  wire [7:0] \$total$2 ;
  wire [8:0] \$sum$3 ;
  wire [7:0] \$4 ;
  wire \$taken$5 ;
  wire [7:0] \$reg$6 ;
  wire \$below$7 ;
  assign \$total$1  = a & 8'h0f;
  assign \$total$2  = a | 8'h0f;
  assign \$sum$3  = \$total$1  + \$total$2 ;
  assign \$4  = \$sum$3 [7:0];
  assign \$taken$5  = ! taken;
  assign \$reg$6  = \$4  ^ { 7'h00, \$taken$5  };
  assign \$below$7  = |a;
  part below (
    .d(\$below$7 )
  );
  assign y = \$reg$6 ;
endmodule
"""


def module_named() -> tuple[NetlistText, list[str]]:
    module = read_netlist(MODULE)
    names = names_of_nets(module)
    return module, [names[f"§{number}"] for number in range(1, 8)]


def test_names_come_from_hints() -> None:
    """A second one is numbered; of a signal, an instance or a word of Verilog none is left."""
    assert module_named()[1] == [
        "total",
        "total_2",
        "sum_wide",
        "_n1",
        "taken_2",
        "reg_2",
        "below_2",
    ]


def test_each_name_stands_once() -> None:
    module, names = module_named()
    assert len({*names, *module.nets}) == len(names) + len(module.nets)


def test_a_net_is_wide_if_some_bits_are_unread() -> None:
    module = read_netlist(MODULE)
    assert read_in_part(module) == {"§3"}
    assert not read_in_part(read_netlist(MODULE.replace("\\$sum$3 [7:0]", "\\$sum$3 ")))
