"""Constraints of a chip's ports: one clock, delays outside; no false paths, no multicycles.

Tests: `tests/report/test_documents.py`.
"""

from hwgen.chip.interface import ChipInterface
from hwgen.report.system.wrapper import BUSES

OUTSIDE = 0.3
"""Share of the clock period that paths outside the ports may take, on both sides."""

TEXT = """\
# SPDX-License-Identifier: Apache-2.0
# {written}: {kind}.
# One clock, {mhz:g} MHz; {share:.0%} of its period belongs to what is outside the ports.
create_clock -name aclk -period {period:.3f} [get_ports aclk]
set_input_delay -clock aclk {delay:.3f} {inputs}
set_output_delay -clock aclk {delay:.3f} {outputs}
"""


def sdc(of: ChipInterface, written: str) -> str:
    """Return the constraints in the words that every tool of synthesis knows."""
    inputs = "[get_ports {\n  " + "\n  ".join(inputs_of(of)) + "\n}]"
    return constraints(of, written, "timing for synthesis", inputs, "[all_outputs]")


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
    return constraints(of, written, "timing for Vivado, out of context", inputs, outputs)


def constraints(of: ChipInterface, written: str, kind: str, inputs: str, outputs: str) -> str:
    """Return clock and delays."""
    period = 1000 / of.clock_mhz
    return TEXT.format(
        written=written[0].upper() + written[1:],
        kind=kind,
        mhz=of.clock_mhz,
        share=OUTSIDE,
        period=period,
        delay=OUTSIDE * period,
        inputs=inputs,
        outputs=outputs,
    )
