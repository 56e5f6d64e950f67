"""Conversions: which columns are converted when, and which bits the DACs feed."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.sizes import ArraySizes


class Conversions(Part):
    """Counts the bit steps of a block and, in each, the slots of the lanes.

    Of an ADC that takes p / q samples in a clock, p < q, slot i is asked for ceil((i + 1) * q / p)
    clocks behind ``convert``; of a faster one i + 1 clocks.

    Ports
        multiply  in   1          the strobe of a bit step: feed its bits
        convert   in   1          the strobe of its conversions
        feed      out  1          = ``multiply``
        feed_bit  out  bit_bits
        hold      out  1          = ``convert``
        ask       out  1
        slot      out  slot_bits
        first     out  1          of the first bit step of a block
        shift     out  shift_bits b * d
        half      out  1          parity of the block
        last      out  1          ``slot`` is the last one
        late      out  1          ``convert`` comes before the slots are through
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
                "multiply": In(1),
                "convert": In(1),
                "feed": Out(1),
                "feed_bit": Out(bits_for_index(sizes.bit_steps)),
                "hold": Out(1),
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
        bit, next_bit, next_half = (Signal.like(self.feed_bit), Signal.like(self.feed_bit), Signal())
        m.d.comb += [
            self.feed.eq(self.multiply),
            self.hold.eq(self.convert),
            self.ask.eq(busy & sample),
            self.last.eq(self.slot == sizes.slots - 1),
            self.first.eq(bit == 0),
            self.shift.eq(bit * sizes.dac_bits),
            self.late.eq(self.convert & busy & ~(sample & self.last)),
        ]
        with m.If(self.multiply):
            m.d.sync += self.feed_bit.eq(self._after(self.feed_bit))
        with m.If(self.ask):
            m.d.sync += [self.slot.eq(self.slot + 1), busy.eq(~self.last)]
        with m.If(self.convert):
            m.d.sync += [
                busy.eq(1),
                self.slot.eq(0),
                bit.eq(next_bit),
                next_bit.eq(self._after(next_bit)),
                self.half.eq(next_half),
                next_half.eq(next_half ^ (next_bit == sizes.bit_steps - 1)),
            ]
        self._pace(m, busy=busy, sample=sample)
        return m

    def _after(self, bit: Signal) -> Signal:
        return Mux(bit == self._sizes.bit_steps - 1, 0, bit + 1)

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
