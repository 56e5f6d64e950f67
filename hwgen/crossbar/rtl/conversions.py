"""Conversions: which columns are converted when."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.sizes import ArraySizes


class Conversions(Part):
    """Counts the slots of the lanes in a bit step.

    Of an ADC that takes p / q samples in a clock, p < q, slot i is asked for ceil((i + 1) * q / p)
    clocks behind ``convert``; of a faster one i + 1 clocks.

    Ports
        convert       in   1          the strobe of the conversions of a bit step
        convert_bit   in   bit_bits   b, valid with it
        convert_half  in   1          parity of the block, valid with it
        ask           out  1
        slot          out  slot_bits
        first         out  1          of the first bit step of a block
        shift         out  shift_bits b * d
        half          out  1          parity of the block
        last          out  1          ``slot`` is the last one
        late          out  1          ``convert`` comes before the slots are through
    Latency  1 from ``convert`` to the first ``ask`` where an ADC takes a sample a clock or more
    Rate     all slots in ceil(slots * q / p) clocks
    Errors   ``late``
    Golden   none; the bench has the rule
    Source   docs/crossbar-rules.md, order of conversions
    """

    family = "crossbar"

    def __init__(self, *, sizes: ArraySizes) -> None:
        self._sizes = sizes
        super().__init__(
            {
                "convert": In(1),
                "convert_bit": In(bits_for_index(sizes.bit_steps)),
                "convert_half": In(1),
                "ask": Out(1),
                "slot": Out(bits_for_index(sizes.slots)),
                "first": Out(1),
                "shift": Out(bits_for_index(sizes.bit_steps * sizes.dac_bits)),
                "half": Out(1),
                "last": Out(1),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return self._sizes.name

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sizes = self._sizes
        busy, sample = Signal(), Signal()
        m.d.comb += [
            self.ask.eq(busy & sample),
            self.last.eq(self.slot == sizes.slots - 1),
            self.late.eq(self.convert & busy & ~(sample & self.last)),
        ]
        with m.If(self.ask):
            m.d.sync += [self.slot.eq(self.slot + 1), busy.eq(~self.last)]
        with m.If(self.convert):
            m.d.sync += [
                busy.eq(1),
                self.slot.eq(0),
                self.first.eq(self.convert_bit == 0),
                self.shift.eq(self.convert_bit * sizes.dac_bits),
                self.half.eq(self.convert_half),
            ]
        self._pace(m, busy=busy, sample=sample)
        return m

    def _pace(self, m: Module, *, busy: Signal, sample: Signal) -> None:
        """Drive `sample`: in p of q clocks."""
        rate = self._sizes.rate
        if rate >= 1:
            m.d.comb += sample.eq(1)
            return
        phase, total = Signal(range(rate.denominator)), Signal(range(2 * rate.denominator))
        m.d.comb += [
            total.eq(phase + rate.numerator),
            sample.eq(total >= rate.denominator),
        ]
        m.d.sync += phase.eq(Mux(sample, total - rate.denominator, total))
        with m.If(self.convert | ~busy):
            m.d.sync += phase.eq(0)
