"""Which bits of a module nothing reads, as a lint says it."""

import pytest

from hwgen.chip.rtl.unread import unread

MODULE = """module part(
  input clk,
  input [3:0] whole,  // read at once
  input [7:0] word,
  input [15:0] packet,
  input never,
  output [3:0] q
);
  localparam KIND_LSB = 4;
  reg [3:0] held;
  wire [2:0] taken;
  wire [1:0] given;
  wire [7:0] unused_above_sum;
  assign given = word[1:0] | word[KIND_LSB +: 2];
  below below (
    .one(given),
    .other(taken)
  );
  always @(posedge clk) begin
    if (taken[2]) begin
      held[1:0] <= packet[3 * 4 +: 4] & whole;
    end
  end
  assign q = held;
endmodule
"""
PORTS = {"below": {"one": ("input", 2), "other": ("output", 3)}}


@pytest.mark.promise("a waiver is written for a signal alone of which bits are not read")
def test_what_nothing_reads() -> None:
    """Bits are known by constants and places of lanes; what goes to an input is read."""
    assert unread(MODULE, PORTS) == {
        "word": False,
        "packet": False,
        "never": True,
        "taken": False,
    }


@pytest.mark.parametrize("index", ["KIND_LSB", "0 * 2 + KIND_LSB"])
def test_a_bit_whose_place_has_a_name_reads_all(index: str) -> None:
    """As Verilator takes it."""
    read = unread(MODULE.replace("taken[2]", f"taken[{index}]"), PORTS)
    assert read == {"word": False, "packet": False, "never": True}
    assert unread(MODULE.replace("taken[2]", "taken[3 - 1]"), PORTS)["taken"] is False


def test_an_index_that_is_no_number_reads_all() -> None:
    text = MODULE.replace("word[1:0]", "word[whole +: 2]").replace("taken[2]", "|taken")
    assert unread(text, PORTS) == {"packet": False, "never": True}
