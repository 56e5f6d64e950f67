"""The pins of an UART: a start bit, 8 bits with the lowest first, a stop bit.

Tests: `tests/verif/common/test_uart_pins.py`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.line import BIT_CYCLES, QUIET_BITS
from hwgen.chip.rtl.shared import SharedPart

FRAME_BITS = 10
"""Start, 8 bits of data, stop."""


class UartPins(SharedPart):
    """Bytes from one pin, bytes to another; no parity, one stop bit.

    Parameters
    ----------
        family      prefix of the module name
        bit_cycles  clock cycles of a bit
    Ports
        rx        in   1             not synchronous to the clock; 1 while the line is quiet
        tx        out  1             1 while nothing is sent
        received  stream out  8      there for one cycle: who does not take a byte loses it
        sent      stream in   8
        ended     out  1             level: nothing came or went for `QUIET_BITS`
    Latency  from the middle of the stop bit of ``rx`` to ``received`` 3 cycles
    Rate     a byte in 10 bits
    Errors   ValueError for a bit of too few or too many cycles; a byte without its stop bit is
             dropped, and none begins until the line was high
    Golden   ``verif/reference/common/uart.py``: ``bits_of``
    Source   docs/howto/host.md
    """

    def __init__(self, *, family: str, bit_cycles: int) -> None:
        least, most = BIT_CYCLES
        if not least <= bit_cycles <= most:
            raise ValueError(f"bit_cycles must be {least} to {most}, got {bit_cycles}")
        self._cycles = bit_cycles
        super().__init__(
            {
                "rx": In(1),
                "tx": Out(1, init=1),
                "received": Out(stream.Signature(8)),
                "sent": In(stream.Signature(8)),
                "ended": Out(1),
            },
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        receives = self._receive(m)
        sends = self._send(m)
        quiet = Signal(range(QUIET_BITS * self._cycles + 1))
        m.d.comb += self.ended.eq(quiet == QUIET_BITS * self._cycles)
        with m.If(receives | sends):
            m.d.sync += quiet.eq(0)
        with m.Elif(~self.ended):
            m.d.sync += quiet.eq(quiet + 1)
        return m

    def _receive(self, m: Module) -> Signal:
        """Look at the middle of each bit; return whether a byte is on its way."""
        line, taken = Signal(3, init=-1), Signal(8)
        wait, left = Signal(range(self._cycles)), Signal(range(FRAME_BITS + 1))
        level, busy = line[1], Signal()
        m.d.comb += busy.eq(left != 0)
        m.d.sync += [line.eq(Cat(self.rx, line[:2])), self.received.valid.eq(0)]
        with m.If(~busy):
            m.d.sync += wait.eq(self._cycles // 2 - 1)
            with m.If(~level & line[2]):  # a line that stays low is no byte after the other
                m.d.sync += left.eq(FRAME_BITS)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Else():
            m.d.sync += [wait.eq(self._cycles - 1), left.eq(left - 1)]
            with m.If(left == FRAME_BITS):  # a start bit that is over by now was none
                m.d.sync += left.eq(Mux(level, 0, left - 1))
            with m.Elif(left != 1):
                m.d.sync += taken.eq(Cat(taken[1:], level))
            with m.Else():
                m.d.sync += [self.received.valid.eq(level), self.received.payload.eq(taken)]
        return busy

    def _send(self, m: Module) -> Signal:
        """Show a bit for its cycles; return whether a byte is on its way."""
        wait, bits = Signal(range(self._cycles)), Signal(FRAME_BITS - 1)
        left, busy = Signal(range(FRAME_BITS + 1)), Signal()
        m.d.comb += [busy.eq(left != 0), self.sent.ready.eq(~busy)]
        with m.If(self.sent.valid & self.sent.ready):
            m.d.sync += [
                self.tx.eq(0),
                bits.eq(Cat(self.sent.payload, Const(1))),
                left.eq(FRAME_BITS),
                wait.eq(self._cycles - 1),
            ]
        with m.Elif(busy & (wait != 0)):
            m.d.sync += wait.eq(wait - 1)
        with m.Elif(busy):
            m.d.sync += [
                self.tx.eq(bits[0]),
                bits.eq(Cat(bits[1:], Const(1))),
                left.eq(left - 1),
                wait.eq(self._cycles - 1),
            ]
        return busy
