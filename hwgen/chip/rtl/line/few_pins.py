"""A chip with few pins: a line, what its frames do, a memory, and the chip as it is.

Tests: `tests/host/test_host.py`.
"""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip.line import PinFacts
from hwgen.chip.rtl.line.frames import Frames
from hwgen.chip.rtl.line.line_memory import LineMemory
from hwgen.chip.rtl.line.spi_pins import SpiPins
from hwgen.chip.rtl.line.uart_pins import UartPins
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.shell import Shell

PINS = {
    "spi": {"sck": In(1), "cs_n": In(1), "mosi": In(1), "miso": Out(1)},
    "uart": {"rx": In(1), "tx": Out(1)},
}
"""The pins of each line, besides clock and reset."""


def driven(line: str) -> list[str]:
    """Return the pins of a line that the chip drives."""
    return [name for name, member in PINS[line].items() if member.flow == Out]


class FewPins(Part):
    """A chip behind a line, with the memory of its program and its maps.

    Parameters
    ----------
        chip   any chip that stands in a shell; its interrupt and its trace are not connected
        facts  the line, the bytes of the memory, the clock cycles of a bit of the UART
    Ports
        clk, rst    the clock of all; reset is synchronous, and 1
        others      of `UartPins` or `SpiPins`
    Golden   that of the chip: what it answers over the line is equal
    Source   docs/howto/host.md
    """

    def __init__(self, *, chip: Shell, facts: PinFacts) -> None:
        self.family = chip.family
        self._chip, self._line = chip, facts.line
        size = facts.memory_bytes
        ports = {name: width for name, _, width in chip.ports()}
        self._pins: Part = (
            SpiPins(family=self.family)
            if facts.line == "spi"
            else UartPins(family=self.family, bit_cycles=facts.bit_cycles)
        )
        self._frames = Frames(
            family=self.family, size=size, address_bits=ports["registers__awaddr"]
        )
        self._memory = LineMemory(family=self.family, port_bits=ports["memory__rdata"], size=size)
        self.parts = [self._pins, self._frames, self._memory, chip]
        super().__init__(wiring.Signature(PINS[facts.line]))

    @property
    def module_name(self) -> str:
        """The prefix of the chip, and the line."""
        return f"{self.family}_{self._line}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.pins = pins = self._pins.instance()
        m.submodules.frames = frames = self._frames.instance()
        m.submodules.memory = memory = self._memory.instance()
        m.submodules.chip = chip = self._chip.instance()
        wiring.connect(m, pins.received, frames.received)
        wiring.connect(m, frames.sent, pins.sent)
        wiring.connect(m, frames.memory, memory.host)
        wiring.connect(m, frames.registers, chip.registers)
        wiring.connect(m, chip.memory, memory.memory)
        m.d.comb += frames.ended.eq(pins.ended)
        for name, member in PINS[self._line].items():
            ours, theirs = getattr(self, name), getattr(pins, name)
            m.d.comb += ours.eq(theirs) if member.flow == Out else theirs.eq(ours)
        return m
