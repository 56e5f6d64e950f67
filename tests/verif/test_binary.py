# amaranth: UnusedElaboratable=no
"""Verilog alone, without Python, from text to a running program."""

import subprocess
from pathlib import Path

import pytest

from hwgen.errors import SimulationError
from hwgen.rtl.emit import verilog_modules
from tests.tiny import Cells
from verif.binary import build_binary

TOP = """
module tb;
  reg clk = 0;
  wire [7:0] cell_1;
  always #5 clk = ~clk;
  tiny_cells dut (.clk(clk), .rst(1'b0), .write_en(1'b0), .write_row(2'd0), .write_data(8'd0),
    .read_row(2'd1), .read_data(cell_1));
  initial begin
    repeat (2) @(posedge clk);
    #1 $display("cell %0d", cell_1);
    $finish;
  end
endmodule
"""


def sources() -> dict[str, str]:
    modules = {f"{name}.v": text for name, text in verilog_modules(Cells()).items()}
    return {**modules, "tb.v": TOP}


def first_line(program: Path, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def test_build_once() -> None:
    program = build_binary(sources(), top="tb")
    built_at = program.stat().st_mtime_ns
    assert build_binary(sources(), top="tb") == program
    assert program.stat().st_mtime_ns == built_at


def test_garbage_depends_on_the_seed() -> None:
    program = build_binary(sources(), top="tb")
    garbage = [
        first_line(program, "+verilator+rand+reset+2", f"+verilator+seed+{seed}")
        for seed in (1, 1, 2, 3, 4)
    ]
    assert garbage[0] == garbage[1]
    assert len(set(garbage)) > 1


def test_broken_verilog_is_reported() -> None:
    with pytest.raises(SimulationError, match=r"(?s)could not build tb, see .*syntax error"):
        build_binary({"tb.v": "this is not Verilog;"}, top="tb")
