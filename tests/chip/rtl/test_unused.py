"""Nets that nothing reads leave the emitted Verilog, and nothing else does."""

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.unused import without_unused_nets
from tests.tiny import Chain

MODULE = r"""module top(a, y);
  wire \$1 ;
  wire \$2 ;
  input [7:0] a;
  wire [7:0] a;
  reg [7:0] kept_register = 8'h00;
  output y;
  wire y;
  wire [7:0] \chain$1 ;
  (* init = 8'h00 *)
  (* unused_bits = "0" *)
  wire [7:0] \chain$2 ;
  (* init = 1'h0 *)
  wire from_instance;
  wire port_name;
  assign \chain$1  = a;
  assign \chain$2  = \chain$1 ;
  assign \$1  = a[0];
  assign \$2  = \$1 ;
  assign port_name = a[1];
  below below (
    .port_name(\$2 ),
    .q(from_instance)
  );
  assign y = a[2];
endmodule
"""


def test_a_chain_of_unread_nets_goes() -> None:
    text = without_unused_nets(MODULE)
    gone = [line for line in MODULE.split("\n") if line not in text.split("\n")]
    assert [line.strip() for line in gone] == [
        r"wire [7:0] \chain$1 ;",
        "(* init = 8'h00 *)",
        '(* unused_bits = "0" *)',
        r"wire [7:0] \chain$2 ;",
        "wire port_name;",
        r"assign \chain$1  = a;",
        r"assign \chain$2  = \chain$1 ;",
        "assign port_name = a[1];",
    ]


def test_ports_registers_and_nets_of_instances_stay() -> None:
    text = without_unused_nets(MODULE)
    for kept in ("reg [7:0] kept_register", "(* init = 1'h0 *)", "input [7:0] a;", r"wire \$2 ;"):
        assert kept in text


def test_a_second_pass_finds_nothing() -> None:
    for text in verilog_modules(Chain()).values():
        assert without_unused_nets(text) == text
