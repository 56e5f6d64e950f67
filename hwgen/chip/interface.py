"""What a system sees of a chip: ports, registers and clock.

Tests: `tests/soc/test_system.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.chip.registers import Register

TRACE = "trace"
"""Prefix of the ports that only benches and simulations connect."""

TIMESCALE = "`timescale 1ns / 1fs"
"""Of every emitted file: without one, simulators cannot place the edges of most clocks."""


@dataclass(frozen=True, kw_only=True)
class ChipInterface:
    """A chip as its surroundings see it.

    family: its name; prefix: of all modules, the same unless another one was asked for; top: module
    name, digest, clock_mhz: of the architecture
    ports: name, "input" or "output", and width of each port of the top
    registers, address_bits: of its AXI4-Lite port; id_word, version: values of two registers
    """

    family: str
    prefix: str
    top: str
    name: str
    digest: str
    clock_mhz: float
    ports: Sequence[tuple[str, str, int]]
    registers: Sequence[Register]
    address_bits: int
    id_word: int
    version: int

    def bus(self, group: str) -> list[tuple[str, str, int]]:
        """Return the ports of a group, `registers` or `memory`, without its name."""
        begin = f"{group}__"
        return [
            (name.removeprefix(begin), direction, width)
            for name, direction, width in self.ports
            if name.startswith(begin)
        ]

    @property
    def identifier(self) -> str:
        """Return the architecture's name as an identifier of C, Verilog and FuseSoC."""
        return identifier(self.name)

    @property
    def what(self) -> str:
        """Return the chip in words."""
        return f"chip {self.name} ({self.prefix}, architecture {self.digest[:8]})"


def identifier(name: str) -> str:
    """Return a name with `_` for each character that identifiers cannot have."""
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return word if not word[:1].isdigit() else f"_{word}"
