"""The top of each board around a made-up chip: its clock, its reset, its light, its line."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from amaranth.lib import wiring

from hwgen.chip.boards import BOARDS
from hwgen.chip.rtl.emit import verilog_of
from hwgen.chip.rtl.line.board_top import RESET_CYCLES, BoardTop
from hwgen.chip.rtl.line.few_pins import PINS
from hwgen.chip.rtl.part import Part
from verif.toolchain import has_icarus

pytestmark = pytest.mark.skipif(not has_icarus(), reason="needs Icarus Verilog")

BLINK_BITS = 4
CHIP = """
module few_made_up(input clk, input rst, input rx, output tx);
  assign tx = rx;
endmodule
"""
BENCH = """
module bench;
  reg clk = 0, button = {free}, rx = 1;
  always #5 clk = ~clk;
  wire tx, led{wires};
  few_{name} top (.clk(clk), .button(button), .rx(rx), .tx(tx), .led(led){connected});
  integer edges = 0, resets = 0, lit = 0;
  always @(posedge top.chip.clk) begin
    edges = edges + 1;
    resets = resets + top.chip.rst;
    lit = lit + (led == {lit});
  end
  task tell; $display("%0d %0d %0d", edges, resets, lit); endtask
  initial begin
    repeat (100 * {divide}) @(negedge clk);
    tell; edges = 0; resets = 0; lit = 0;
    button = !{free};
    repeat (200 * {divide}) @(negedge clk);
    button = {free};
    repeat (100 * {divide}) @(negedge clk);
    tell;
    $display("%0d%0d", tx, {high});
    rx = 0;
    #1 $display("%0d", tx);
    $finish;
  end
endmodule
"""


class MadeUp(Part):
    """Has the ports of a chip behind an UART, and sends what comes."""

    family = "few"

    def __init__(self) -> None:
        super().__init__(wiring.Signature(PINS["uart"]))


def said(name: str, folder: Path) -> list[str]:
    """Return what the bench of a board says."""
    board = BOARDS[name]
    chip: Any = MadeUp()
    (folder / "top.v").write_text(
        verilog_of([BoardTop(chip=chip, board=board, blink_bits=BLINK_BITS)])
    )
    (folder / "chip.v").write_text(CHIP)
    bench = BENCH.format(
        name=name,
        free=1 - board.button_level,
        lit=board.led_level,
        divide=board.divide,
        wires="".join(f", {each}" for each in board.high),
        connected="".join(f", .{each}({each})" for each in board.high),
        high=" & ".join(board.high) or "1'b1",
    )
    (folder / "bench.v").write_text(bench)
    build = ["iverilog", "-g2012", "-Wall", "-o", "bench", "bench.v", "top.v", "chip.v"]
    subprocess.run(build, cwd=folder, check=True)
    run = ["vvp", "-n", "bench"]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split("\n")


@pytest.mark.promise(
    "the top of a board resets its chip at power-on and by a button, divides its clock, blinks"
)
@pytest.mark.parametrize("name", BOARDS)
def test_a_top(name: str, tmp_path: Path) -> None:
    begin, pressed, *line = said(name, tmp_path)
    edges, resets, lit = map(int, begin.split())
    assert abs(edges - 100) <= 1
    # The register of the reset is high at power-on, and one clock behind the counter.
    assert resets == RESET_CYCLES + 1
    free = edges - resets
    assert abs(lit - free // 2) <= 1 << BLINK_BITS - 1 and lit > 0
    edges, resets, lit = map(int, pressed.split())
    assert abs(edges - 300) <= 1 and resets == 200 + RESET_CYCLES - 1
    assert 0 < lit < edges - resets
    assert line[:2] == ["11", "0"]


def test_a_clock_that_no_counter_divides_is_refused() -> None:
    chip: Any = MadeUp()
    with pytest.raises(ValueError, match="divide must be 1, 2 or 4, got 3"):
        BoardTop(chip=chip, board=replace(BOARDS["arty"], divide=3))
