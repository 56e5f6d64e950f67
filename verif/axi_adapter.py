"""Lets cocotbext-axi attach to AXI ports of a part whose clock is generated in Verilog.

cocotbext-axi looks at signals and drives them at a rising edge, as if both sides had registers.
With a clock made in Verilog some simulators then show what is there after the edge, others what
was there before. So it gets a clock of its own that rises just before the part's, and what it
drives reaches the part just after the part's edge.
"""

from hwgen.chip.rtl.part import Part
from verif.wrapper import CLOCK_PERIOD_NS

CLOCK = "axi_clk"
LEAD_NS = 1
"""From the adapter's rising edge to the part's, and from that to what was driven."""


def axi_harness(part: Part, prefixes: dict[str, str]) -> str:
    """Return Verilog for a wrapper: signals `<name>_araddr` for ports `<prefix>__araddr`.

    `prefixes` gives the ports' prefix for each name; cocotbext-axi attaches with
    `AxiBus.from_prefix(dut, name)` and the clock `axi_clk`.
    """
    half = CLOCK_PERIOD_NS // 2
    lines = [
        f"reg {CLOCK} = 0;",
        f"initial begin #{half - LEAD_NS} {CLOCK} = 1; forever #{half} {CLOCK} = ~{CLOCK}; end",
    ]
    for name, prefix in prefixes.items():
        for port, direction, width in part.ports():
            if not port.startswith(f"{prefix}__"):
                continue
            signal = f"{name}_{port.removeprefix(f'{prefix}__')}"
            if direction == "output":
                lines.append(f"wire [{width - 1}:0] {signal} = {port};")
            else:
                lines.append(f"reg [{width - 1}:0] {signal} = 0;")
                lines.append(f"always @({signal}) {port} <= #{2 * LEAD_NS} {signal};")
    return "\n".join(lines)
