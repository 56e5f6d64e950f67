"""The ports of modules of Verilog, read from their texts."""

import pytest

from hwgen.chip.module_ports import ModulePorts, module_ports

COMPILED = """
// In the manner of OpenRAM: names in the header, all else behind it.
`define SYNTHESIS
module sram(
`ifdef USE_POWER_PINS
    vccd1,
`else
    (* keep *) csb0, /* a comment, with a comma */
`endif
    clk0, wmask0, addr0, din0, dout0
  );
  parameter NUM_WMASKS = 4, ADDR_WIDTH = 8;
  localparam WIDTH = NUM_WMASKS * 8;
`ifdef USE_POWER_PINS
  inout vccd1;
`endif
  input clk0, csb0; // input [3:0] csb0
  input [NUM_WMASKS-1:0] wmask0;
  input [ADDR_WIDTH-1:0] addr0;
  input [WIDTH-1:0] din0;
  output reg [0:WIDTH-1] dout0;
  function [3:0] doubled; input [3:0] addr0; doubled = addr0 << 1; endfunction
  reg [WIDTH-1:0] mem [0:(1 << ADDR_WIDTH)-1];
  always @(posedge clk0) if (!csb0) dout0 <= mem[addr0];
endmodule
"""
WRITTEN = """
module other (input x); endmodule
module mine #(parameter integer W = 16, parameter N = 5, localparam int D = N > 4 ? $clog2(N) : 1)
  (input logic clk, input wire signed [W-1:0] a, b, output logic [1:0][D-1:0] q = 0,
   input kind_t t, input [W > 3 ? 8'h3 : 0:0] c, output [UNKNOWN-1:0] u, inout s, input v [3:0]);
endmodule
"""


def widths(found: ModulePorts | None) -> dict[str, tuple[str, int | None]]:
    """Return direction and bits of each port."""
    assert found is not None
    return {name: (port.direction, port.bits) for name, port in found.ports.items()}


@pytest.mark.promise(
    "the Verilog of a replacement has the ports, directions, widths and parameters that its"
    " file names, in build as in run"
)
def test_declarations_behind_the_header() -> None:
    found = module_ports(COMPILED, "sram", {"ADDR_WIDTH": 6, "WIDTH": 1})
    assert widths(found) == {
        "csb0": ("input", 1),
        "clk0": ("input", 1),
        "wmask0": ("input", 4),
        "addr0": ("input", 6),
        "din0": ("input", 32),
        "dout0": ("output", 32),
    }
    assert found is not None
    assert found.parameters == ("NUM_WMASKS", "ADDR_WIDTH")


def test_declarations_in_the_header() -> None:
    found = module_ports(WRITTEN, "mine", {"N": 17})
    assert widths(found) == {
        "clk": ("input", 1),
        "a": ("input", 16),
        "b": ("input", 16),
        "q": ("output", 10),
        "t": ("input", None),
        "c": ("input", 4),
        "u": ("output", None),
        "s": ("inout", 1),
        "v": ("input", None),
    }
    assert found is not None
    assert found.parameters == ("W", "N")


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("1 << 3 + 1", 16),
        ("2 ** 3 - -1", 9),
        ("4'd9 / 2 % 3", 1),
        ("3 >= 2 && 2 == 2 ? 7 : 8", 7),
        ("0 || 1 != 1 ? 7 : 1 ? 5 : 6", 5),
        ("$clog2(33)", 6),
        ("1 << 1000", None),
        ("1 / 0", None),
        ("NAME", None),
        ("(3", None),
    ],
)
def test_constants(text: str, bits: int | None) -> None:
    found = module_ports(f"module m(input [({text})-1:0] x); endmodule", "m", {})
    assert found is None if text == "(3" else widths(found) == {"x": ("input", bits)}


@pytest.mark.parametrize(
    "text", ["", "module n; endmodule", "module m(`PORTS); endmodule", "module m(.a(b)); endmodule"]
)
def test_what_is_not_understood_is_left_open(text: str) -> None:
    assert module_ports(text, "m", {}) is None
