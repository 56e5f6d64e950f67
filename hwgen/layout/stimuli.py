"""Drawn stimuli for a module and for the netlist of its layout, compared bit by bit by Icarus.

Tests: `tests/layout/test_checks.py`.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import SimulationError
from hwgen.layout.reference import Bits
from hwgen.physical.cells import Library

RESET_CYCLES = 4
"""In which the reset is high, if there is one, and nothing is compared."""
TOLD = re.compile(r"compared (\d+) ones (\d+) different (\d+)")


@dataclass(frozen=True)
class Simulated:
    """Bits that were compared, how many of them were ones, and how many differed."""

    bits: int
    ones: int
    different: int


def cells_verilog(library: Library) -> str:
    """Return the cells of a library as Verilog, by the functions of its Liberty."""
    lines = []
    for cell in library.cells.values():
        ports = [f"input {pin}" for pin in cell.inputs]
        ports += [f"output {'reg ' if cell.is_flip_flop else ''}{pin}" for pin in cell.outputs]
        lines.append(f"module {cell.name}({', '.join(ports)});")
        for pin in cell.outputs:
            if cell.is_flip_flop:
                lines.append(f"  always @(posedge {cell.clock}) {pin} <= {cell.data};")
            else:
                lines.append(f"  assign {pin} = {cell.pins[pin].function.replace('!', '~')};")
        lines.append("endmodule")
    return "\n".join([*lines, ""])


def bench(module: str, layout: str, inputs: Bits, outputs: Bits, cycles: int) -> str:
    """Return a bench of two modules; cycles: how many, each with inputs of its own.

    Both start from unknown values. Inputs of one bit are high in an eighth to all of the cycles,
    by turns of 64. A bit counts where the module knows it; it differs where the layout does not.
    """
    return "\n".join(bench_lines(module, layout, inputs, outputs, cycles))


def bench_lines(
    module: str, layout: str, inputs: Bits, outputs: Bits, cycles: int
) -> Iterator[str]:
    """Yield the lines of a bench."""

    def span(bits: Sequence[object]) -> str:
        return f"[{len(bits) - 1}:0] " if len(bits) > 1 else ""

    yield "`timescale 1ns/1ps"
    yield "module bench;"
    yield "integer cycle, bit_, compared = 0, ones = 0, different = 0; reg [2:0] dense = 0;"
    for name, bits in inputs.items():
        yield f"reg {span(bits)}{name}{' = 0' if name == 'clk' else ''};"
    for name, bits in outputs.items():
        yield f"wire {span(bits)}a_{name}, b_{name};"
    for which, kind in (("a", module), ("b", layout)):
        pins = [f".{name}({name})" for name in inputs]
        pins += [f".{name}({which}_{name})" for name in outputs]
        yield f"{kind} dut_{which}({', '.join(pins)});"
    yield f"initial begin for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin"
    yield "  if (cycle % 64 == 0) dense = $urandom;"
    for name, bits in inputs.items():
        if name == "rst":
            yield f"  rst = cycle < {RESET_CYCLES} || $urandom % 997 == 0;"
        elif name != "clk":
            words = ", ".join(["$urandom"] * -(-len(bits) // 32))
            drawn = "$urandom % 8 <= dense" if len(bits) == 1 else f"{{{words}}}"
            yield f"  {name} = {drawn};"
    yield "  #4;"
    yield f"  if (cycle >= {RESET_CYCLES}) begin"
    for name, bits in outputs.items():
        at = "[bit_]" if len(bits) > 1 else ""
        yield f"    for (bit_ = 0; bit_ < {len(bits)}; bit_ = bit_ + 1)"
        yield f"      if (a_{name}{at} !== 1'bx) begin"
        yield f"        compared = compared + 1; ones = ones + a_{name}{at};"
        yield f"        if (a_{name}{at} !== b_{name}{at}) different = different + 1;"
        yield "      end"
    yield "  end"
    yield "  #1 clk = 1; #5 clk = 0; end" if "clk" in inputs else "  #6; end"
    yield '  $display("compared %0d ones %0d different %0d", compared, ones, different);'
    yield "  $finish; end endmodule"
    yield ""


def simulated(folder: Path, texts: Sequence[str]) -> Simulated:
    """Return what a bench found; texts: Verilog of the bench and of all that it places.

    folder: an empty one; Icarus must be there (`icarus`)
    Errors: SimulationError where Icarus does not take the Verilog
    """
    file, program = folder / "all.v", folder / "bench.vvp"
    file.write_text("\n".join(texts), encoding="utf-8")
    made = ["iverilog", "-g2012", "-s", "bench", "-o", str(program), str(file)]
    for command in (made, ["vvp", str(program)]):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            first = next(iter(run.stderr.splitlines()), "no word")
            raise SimulationError(f"Icarus must take the netlist of a layout, got {first}")
    found = TOLD.search(run.stdout)
    if found is None:
        raise SimulationError("the bench of a layout must come to its end, got no count")
    return Simulated(*(int(each) for each in found.groups()))


def icarus() -> bool:
    """Return whether Icarus Verilog is installed."""
    return shutil.which("iverilog") is not None
