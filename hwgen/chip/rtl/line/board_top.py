"""The top of an FPGA board: a chip behind an UART, its clock, its reset, a light.

Tests: `tests/boards/test_top.py`.
"""

from amaranth.hdl import Cat, ClockDomain, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip.boards import Board
from hwgen.chip.rtl.line.few_pins import FewPins
from hwgen.chip.rtl.part import Part

RESET_CYCLES = 15
"""Clock cycles of the reset behind power-on, and behind the button."""
BLINK_BITS = 24
"""Of the counter whose highest bit is the light: 1.5 Hz at 25 MHz."""


class BoardTop(Part):
    """A chip behind an UART on a board: nothing outside this module but pins.

    Registers begin with the values that the bit stream gives them, so that the reset comes by
    itself at power-on. The button resets as long as it is pressed.

    Parameters
    ----------
        chip        behind an UART
        board       its pins and its clock
        blink_bits  of the counter of the light
    Ports
        clk     in   1   the oscillator of the board
        button  in   1   not synchronous to the clock
        rx, tx  as `UartPins` has them
        led     out  1   blinks while the chip has its clock and no reset
        others  out  1   the board wants them high
    Latency  reset ends `RESET_CYCLES` + 1 clocks of the chip behind power-on, `RESET_CYCLES` + 3
             behind the last one in which the button is pressed
    Errors   ValueError for a clock that is divided by another number than 1, 2 or 4
    Golden   that of the chip: what it answers over the line is equal
    Source   docs/fpga.md
    """

    clock_ports = ()
    starts_with_values = True

    def __init__(self, *, chip: FewPins, board: Board, blink_bits: int = BLINK_BITS) -> None:
        if board.divide not in (1, 2, 4):
            raise ValueError(f"divide must be 1, 2 or 4, got {board.divide}")
        self.family = chip.family
        self._chip, self._board, self._blink_bits = chip, board, blink_bits
        self.parts = [chip]
        inputs = {name: In(1) for name in ("clk", "button", "rx")}
        outputs = {name: Out(1) for name in ("tx", "led", *board.high)}
        super().__init__(wiring.Signature({**inputs, **outputs}))

    @property
    def module_name(self) -> str:
        """The prefix of the chip, and the board."""
        return f"{self.family}_{self._board.name}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._clocks(m)
        m.submodules.chip = chip = self._chip.instance()
        blink = Signal(self._blink_bits)
        m.d.sync += blink.eq(blink + 1)
        lit = blink[-1] if self._board.led_level else ~blink[-1]
        m.d.comb += [chip.rx.eq(self.rx), self.tx.eq(chip.tx), self.led.eq(lit)]
        m.d.comb += [getattr(self, name).eq(1) for name in self._board.high]
        return m

    def _clocks(self, m: Module) -> None:
        """Make the clock of the chip, and its reset."""
        m.domains.start = start = ClockDomain(reset_less=True, local=True)
        m.domains.sync = sync = ClockDomain(local=True)
        if self._board.divide == 1:
            m.d.comb += start.clk.eq(self.clk)
        else:
            m.domains.oscillator = oscillator = ClockDomain(reset_less=True, local=True)
            divider = Signal(self._board.divide.bit_length() - 1)
            m.d.comb += [oscillator.clk.eq(self.clk), start.clk.eq(divider[-1])]
            m.d.oscillator += divider.eq(divider + 1)
        pressed = self.button if self._board.button_level else ~self.button
        # A button at any time: two registers, then as long as at power-on.
        seen, left = Signal(2), Signal(range(RESET_CYCLES + 1), init=RESET_CYCLES)
        reset = Signal(init=1)
        m.d.start += [seen.eq(Cat(pressed, seen[0])), reset.eq(left != 0)]
        with m.If(seen[1]):
            m.d.start += left.eq(RESET_CYCLES)
        with m.Elif(left != 0):
            m.d.start += left.eq(left - 1)
        m.d.comb += [sync.clk.eq(start.clk), sync.rst.eq(reset)]
