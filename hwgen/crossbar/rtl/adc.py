"""ADC: what the samples of columns become."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part


class Adc(Part):
    """A converter: a sum above its range is its last code.

    ``code = min(sum, 2^bits - 1)``

    Parameters
    ----------
        bits         of a code
        analog_bits  of a sum
        samples      that it takes in a clock
    Ports
        sums   in   samples x analog_bits  unsigned, what the chosen columns give
        codes  out  samples x bits         unsigned
        above  out  1                      a sum is above the range: its code is wrong
    Latency  0
    Rate     ``samples`` in each cycle; the conversions pace it
    Errors   none
    Golden   ``golden.crossbar.encoding.sample``
    Source   seed 003, Fig. 2 (b)
    """

    family = "crossbar"
    clock_ports = ()

    def __init__(self, *, bits: int, analog_bits: int, samples: int) -> None:
        self._bits, self._analog_bits, self._samples = bits, analog_bits, samples
        super().__init__(
            {
                "sums": In(samples * analog_bits),
                "codes": Out(samples * bits),
                "above": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        most = (1 << self._bits) - 1
        above = []
        for sample in range(self._samples):
            total = self.sums.word_select(sample, self._analog_bits)
            above.append(total > most)
            m.d.comb += self.codes.word_select(sample, self._bits).eq(Mux(above[-1], most, total))
        m.d.comb += self.above.eq(Cat(above).any())
        return m
