"""The Verilog wrapper of a part in simulation: generates the clock, holds the public signals."""

from hwgen.chip.rtl.part import Part

CLOCK_PERIOD_NS = 10
TOP = "tb"


def wrapper(part: Part, *, harness: str = "") -> str:
    """Return module `tb`: one variable for each port of `part`, a clock, and `harness`."""
    declarations = ["reg clk = 0;", "reg rst = 1;"]
    connections = []
    for name, direction, width in part.ports():
        connections.append(f".{name}({name})")
        if name not in ("clk", "rst"):
            kind, start = ("reg", " = 0") if direction == "input" else ("wire", "")
            declarations.append(f"{kind} [{width - 1}:0] {name}{start};")
    lines = [
        "`timescale 1ns/1ps",
        f"module {TOP};",
        *declarations,
        f"always #{CLOCK_PERIOD_NS // 2} clk = ~clk;",
        f"{part.module_name} dut ({', '.join(connections)});",
        harness,
        "endmodule",
    ]
    return "\n".join(lines) + "\n"
