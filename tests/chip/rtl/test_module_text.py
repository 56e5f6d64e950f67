"""A module for readers: header, comments, names, numbers, and lines that are not too long."""

from hwgen.chip.rtl.module_text import Sentences, readable

ZEROS = "0" * 50
MODULE = rf"""module top(q, b, rst, clk, a);
  input clk;
  input rst;
  input [7:0] a;
  wire [7:0] a;
  input [7:0] b;
  output [7:0] q;
  reg [7:0] q = 8'h05;
  reg [199:0] wide = 200'h{ZEROS};
  wire [7:0] \$sum$1 ;
  wire [8:0] \$sum$2 ;
  wire [8:0] \$3 ;
  reg [7:0] \$4 ;
  wire [15:0] sum;
  assign \$sum$1  = a + b;
  assign \$sum$2  = a - b;
  assign \$3  = a / b;
  assign sum = {{ \$sum$1 , \$sum$1  }};
  below \below.x  (
    .d({{ \$sum$2 [8:1], \$3 [8], \$3 , sum }}),
    .e(\$3 )
  );
  always @*
    \$4  = a;
  always @(posedge clk)
    q <= \$4 ;
  always @(posedge clk)
    wide <= 200'h{ZEROS};
endmodule
"""
SENTENCES = Sentences(
    ports=["a", "b", "q"], of_ports={"a": "what is added", "q": "x" * 90, "lost": "of no port"}
)


def lines_of_module() -> list[str]:
    return readable(MODULE, SENTENCES).splitlines()


def test_ports_stand_in_the_order_of_the_table() -> None:
    """The clock first; a sentence behind its port, or above it if it is long."""
    lines = lines_of_module()
    assert lines[: lines.index(");") + 1] == [
        "module top(",
        "  input clk,",
        "  input rst,",
        "  input [7:0] a,  // what is added",
        "  input [7:0] b,",
        f"  // {'x' * 90}",
        "  output reg [7:0] q",
        ");",
    ]


def test_nets_are_named_after_the_source() -> None:
    """A second one is numbered, one of which bits are unread is wide, others are `_n`."""
    text = "\n".join(lines_of_module())
    for name in ("[7:0] sum_2;", "[8:0] sum_wide;", "[8:0] _n1;"):
        assert f"  wire {name}" in text
    assert "  assign sum = { sum_2, sum_2 };" in text


def test_registers_have_their_values_in_lines_of_their_own() -> None:
    lines = lines_of_module()
    assert "  initial q = 8'h05;" in lines
    assert "  initial wide = 200'h0;" in lines
    assert not any(line.startswith("  reg") and "=" in line for line in lines)


def test_long_numbers_and_lines_are_cut() -> None:
    digits = "".join(f"{number:02x}" for number in range(1, 26))
    long = MODULE.replace(f"<= 200'h{ZEROS}", f"<= 200'h{digits}")
    repeated = MODULE.replace(f"<= 200'h{ZEROS}", f"<= 200'h{'7f' * 25}")
    assert "wide <= {25{8'h7f}};" in readable(repeated, SENTENCES)
    assert f"{{ 72'h{digits[:18]}, 128'h{digits[18:]} }}" in readable(long, SENTENCES)
    sums = " | ".join(f"{{ a[{n}], b[6:0] }}" for n in (0, 1, 2, 3, 4, 5, 6, 7) * 2)
    text = readable(
        MODULE.replace("a / b", "a / b").replace("{ \\$sum$1 , \\$sum$1  }", sums), SENTENCES
    )
    assert max(map(len, text.splitlines())) <= 160
