"""The pins of a SPI device in mode 0: the highest bit first, taken as SCK rises.

Tests: `tests/verif/common/test_spi_pins.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.line import SPI_IDLE
from hwgen.chip.rtl.shared import SharedPart


class SpiPins(SharedPart):
    """Bytes from ``mosi``, bytes to ``miso``; the clock of the chip looks at all three pins.

    SCK is low while nothing goes; ``miso`` changes after it falls. A byte that is not there when
    its first bit is due is `SPI_IDLE`.

    Parameters
    ----------
        family    prefix of the module name
    Ports
        sck       in   1          not synchronous; half a period is at least 4 clock cycles
        cs_n      in   1          0 while the host speaks; rises at least 4 cycles from SCK
        mosi      in   1
        miso      out  1          driven at all times: beside other devices the pad needs ``cs_n``
        received  stream out  8   there for one cycle: who does not take a byte loses it
        sent      stream in   8
        ended     out  1          level: ``cs_n`` is 1
    Latency  3 cycles from the eighth rise of SCK to ``received``; 3 from a fall to ``miso``
    Rate     a byte in 8 periods of SCK
    Errors   bits without the rest of their byte are dropped when ``cs_n`` rises
    Golden   the bytes in their order, ``verif/common/bench_spi_pins.py``
    Source   docs/howto/host.md
    """

    def __init__(self, *, family: str) -> None:
        super().__init__(
            {
                "sck": In(1),
                "cs_n": In(1),
                "mosi": In(1),
                "miso": Out(1),
                "received": Out(stream.Signature(8)),
                "sent": In(stream.Signature(8)),
                "ended": Out(1),
            },
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clock, select, data = Signal(3), Signal(2, init=-1), Signal(2)
        m.d.sync += [
            clock.eq(Cat(self.sck, clock[:2])),
            select.eq(Cat(self.cs_n, select[0])),
            data.eq(Cat(self.mosi, data[0])),
        ]
        rises, falls = clock[1] & ~clock[2], ~clock[1] & clock[2]
        taken, shown, place, begins = Signal(7), Signal(8), Signal(3), Signal()
        m.d.comb += [self.ended.eq(select[1]), self.miso.eq(shown[7])]
        m.d.sync += self.received.valid.eq(0)
        with m.If(self.ended):
            m.d.sync += [place.eq(0), shown.eq(SPI_IDLE)]
        with m.Elif(rises):
            m.d.sync += [
                place.eq(place + 1),
                taken.eq(Cat(data[1], taken[:6])),
                self.received.valid.eq(place == 7),
                self.received.payload.eq(Cat(data[1], taken)),
            ]
        with m.Elif(falls):
            m.d.comb += begins.eq(place == 0)
            m.d.sync += shown.eq(Cat(0, shown[:7]))
            with m.If(begins):
                m.d.sync += shown.eq(Mux(self.sent.valid, self.sent.payload, SPI_IDLE))
        m.d.comb += self.sent.ready.eq(begins)
        return m
