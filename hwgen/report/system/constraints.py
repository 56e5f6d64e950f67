"""Constraints of a chip's ports: one clock, its uncertainty, delays outside, a slow reset.

Tests: `tests/soc/test_files.py`.
"""

from hwgen.chip.interface import ChipInterface
from hwgen.report.system.wrapper import BUSES

OUTSIDE = 0.3
"""Share of the clock period that paths outside the ports may take, on both sides."""
UNCERTAINTY = 0.05
"""Share of the clock period that is kept for jitter, and for skew before there is a clock tree."""
RESET_CYCLES = 4
"""Clocks that a change of the reset may take to all registers."""

HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# {written}: {kind}.
# One clock, {mhz:g} MHz, as the architecture says. Of its period {share:.0%} belongs to what is
# outside the ports, {uncertainty:.0%} to jitter and skew.
"""
CLOCK = """\
create_clock -name aclk -period {period} [get_ports aclk]
set_clock_uncertainty {uncertainty} [get_clocks aclk]
set_input_delay -clock aclk {outside} {inputs}
set_output_delay -clock aclk {outside} {outputs}
# The reset is synchronous. It is held for {cycles} clocks at least, and nothing is asked of the
# chip for as many behind it: registers that leave it in different clocks keep what they have.
set_multicycle_path -setup {cycles} -from [get_ports aresetn]
set_multicycle_path -hold {hold} -from [get_ports aresetn]
"""
VARIABLES = """\
set period {period:.3f}
set outside {outside:.3f}
set uncertainty {uncertainty:.3f}
# What drives each input, and the load of each output: they belong to the library. Left empty, an
# ideal source drives, and there is no load. Of IHP's SG13G2: sg13g2_buf_4 and 0.02 (pF).
set driving_cell ""
set load ""
"""
LIBRARY = """\
if {{$driving_cell ne ""}} {{
  set_driving_cell -lib_cell $driving_cell {inputs}
}}
if {{$load ne ""}} {{
  set_load $load {outputs}
}}
"""


def sdc(of: ChipInterface, written: str) -> str:
    """Return the constraints in the words that every tool of synthesis knows."""
    inputs = "[get_ports {\n  " + "\n  ".join(inputs_of(of)) + "\n}]"
    outputs = "[all_outputs]"
    times = {name: f"${name}" for name in ("period", "outside", "uncertainty")}
    return (
        head(of, written, "timing for synthesis")
        + VARIABLES.format(**periods(of.clock_mhz))
        + clock(inputs, outputs, times)
        + LIBRARY.format(inputs=inputs, outputs=outputs)
    )


def inputs_of(of: ChipInterface) -> list[str]:
    """Return all inputs of the wrapper but its clock; tools differ in how they leave that out."""
    return ["aresetn"] + [
        f"{bus}_{name}{'[*]' if width > 1 else ''}"
        for group, bus in BUSES.items()
        for name, direction, width in of.bus(group)
        if direction == "input"
    ]


def xdc(of: ChipInterface, written: str) -> str:
    """Return the constraints for Vivado, where the chip is synthesized by itself."""
    inputs = "[get_ports -filter {DIRECTION == IN && NAME != aclk}]"
    outputs = "[get_ports -filter {DIRECTION == OUT}]"
    times = {name: f"{time:.3f}" for name, time in periods(of.clock_mhz).items()}
    return head(of, written, "timing for Vivado, out of context") + clock(inputs, outputs, times)


def head(of: ChipInterface, written: str, kind: str) -> str:
    """Return what the constraints are for."""
    written = written[0].upper() + written[1:]
    return HEAD.format(
        written=written, kind=kind, mhz=of.clock_mhz, share=OUTSIDE, uncertainty=UNCERTAINTY
    )


def periods(mhz: float) -> dict[str, float]:
    """Return the period of a clock and its shares, in ns."""
    period = 1000 / mhz
    return {"period": period, "outside": OUTSIDE * period, "uncertainty": UNCERTAINTY * period}


def clock(inputs: str, outputs: str, times: dict[str, str]) -> str:
    """Return the clock, the delays outside, and how long a change of the reset may take."""
    return CLOCK.format(
        inputs=inputs, outputs=outputs, cycles=RESET_CYCLES, hold=RESET_CYCLES - 1, **times
    )
