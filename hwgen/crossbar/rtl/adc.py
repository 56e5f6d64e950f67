"""ADC: what a sample of a column becomes."""

from amaranth.hdl import Module, Mux
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.crossbar.rtl.sizes import ArraySizes


class Adc(Part):
    """A converter: a sum above its range is its last code.

    ``code = min(sum, 2^bits - 1)``

    Ports
        sum    in   analog_bits  unsigned, what the chosen column gives
        code   out  adc_bits     unsigned
        above  out  1            the sum is above the range: the code is wrong
    Latency  0
    Rate     one sample in each cycle; the conversions pace it
    Errors   none
    Golden   ``golden.crossbar.encoding.sample``
    Source   seed 003, Fig. 2 (b)
    """

    family = "crossbar"
    clock_ports = ()

    def __init__(self, *, sizes: ArraySizes) -> None:
        self._most = (1 << sizes.adc_bits) - 1
        super().__init__(
            {
                "sum": In(sizes.analog_bits),
                "code": Out(sizes.adc_bits),
                "above": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.above.eq(self.sum > self._most),
            self.code.eq(Mux(self.above, self._most, self.sum)),
        ]
        return m
