"""Conversions: which columns are converted when, and what becomes of the samples.

Adc: what the samples of columns become. Lane: the accumulators of the columns of one ADC.

Tests: `tests/verif/crossbar/test_chip.py`.
"""

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.levels import LEVEL_STEPS, TRIM_BITS
from hwgen.crossbar.rtl.memories import TwoReads
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


class Adc(Part):
    """A converter: a sum above its range is its last code.

    ``code = min(sum, 2^bits - 1)``; with effects, whose sums are signed and in steps of 1/64,
    ``code = clip((sum + 32) >> 6, 0, 2^bits - 1)``; of pairs sums and codes are signed, and the
    range is from ``-2^(bits - 1)`` to ``2^(bits - 1) - 1``

    Parameters
    ----------
        bits         of a code
        analog_bits  of a sum
        samples      that it takes in a clock
        effects      see above; pairs: what is converted is the difference of two columns
    Ports
        sums   in   samples x analog_bits  unsigned, what the chosen columns give
        codes  out  samples x bits         unsigned
        above  out  1                      a sum is above the range: its code is wrong
    Effects  a sum out of the range is no mistake: ``above`` stays 0
    Latency  0
    Rate     ``samples`` in each cycle; the conversions pace it
    Errors   none
    Golden   ``golden.crossbar.encoding.sample``
    Source   seed 003, Fig. 2 (b)
    """

    family = "crossbar"
    clock_ports = ()

    def __init__(
        self,
        *,
        bits: int,
        analog_bits: int,
        samples: int,
        effects: bool = False,
        pairs: bool = False,
    ) -> None:
        self._bits, self._analog_bits, self._samples = bits, analog_bits, samples
        self._effects, self._pairs = effects, pairs
        super().__init__(
            {
                "sums": In(samples * analog_bits),
                "codes": Out(samples * bits),
                "above": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        least, most = code_range(self._bits, pairs=self._pairs)
        if self._effects:
            for sample in range(self._samples):
                given = self.sums.word_select(sample, self._analog_bits).as_signed()
                code = Signal(signed(self._analog_bits + 1 - LEVEL_STEPS), name=f"code_{sample}")
                m.d.comb += [
                    code.eq(rounded(given)),
                    self.codes.word_select(sample, self._bits).eq(
                        Mux(code < least, least, Mux(code > most, most, code))
                    ),
                ]
            return m
        above = []
        for sample in range(self._samples):
            total, found = self.sums.word_select(sample, self._analog_bits), []
            if self._pairs:
                total = total.as_signed()
                found.append(total < least)
            found.append(total > most)
            above.extend(found)
            code = Mux(found[-1], most, total)
            if self._pairs:
                code = Mux(found[0], least, code)
            m.d.comb += self.codes.word_select(sample, self._bits).eq(code)
        m.d.comb += self.above.eq(Cat(above).any())
        return m


def code_range(bits: int, *, pairs: bool) -> tuple[int, int]:
    """Return the least and the last code of a converter; pairs: its codes are signed."""
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if pairs else (0, (1 << bits) - 1)


def rounded(value: Value) -> Value:
    """Return a signed value in steps of 1/64 as whole codes, halves upwards."""
    return (value + (1 << LEVEL_STEPS - 1)) >> LEVEL_STEPS


class Lane(Part):
    """Accumulates the codes of its columns over the bit steps; shifts them when they are added.

    Of a column with the sum of inputs ``Xsum`` it holds, modulo 2^accumulator_bits,

    ``flip * (2^q - 1) * Xsum - top * (Xsum << offset_shift) +- sum over b of code(b) << (b * d)``

    with minus where the column is flipped; ``top`` is the last slice, whose accumulator is signed.
    With effects all are, and a code is cut to the bits that the converter of its column has; it is
    worth ``2^step_bits`` sums. Of pairs all are, too, codes are signed, it holds
    ``sum over b of code(b) << (b * d)``, and there is neither ``unit`` nor ``input_sum``.

    Pipeline
        cycle 0  of ``ask`` at the bank: ``convert_slot`` and what goes with it
        cycle 1  ``code``: read accumulator, column and sum of inputs, store the new accumulator
        cycle 0  of an addition: ``add_slot``
        cycle 1  ``value``, ``target``, ``first``

    Ports
        load           in   1         store ``column`` at this clock edge
        load_slot      in   slot_bits
        column         in   column    of ``ArraySizes``
        convert        in   1         the bank is asked
        convert_slot   in   slot_bits
        convert_first  in   1         of the first bit step: begin a sum
        convert_shift  in   shift_bits  b * d
        convert_half   in   1         bank of the accumulators
        code           in   adc_bits  in the next cycle
        unit           out  unit_bits in the next cycle, whose sum of inputs is wanted
        trim           out  trim_bits  with effects, in the same cycle; signed, of its converter
        input_sum      in   input_sum_bits  in the same cycle as ``unit``
        add            in   1
        add_slot       in   slot_bits
        add_half       in   1
        valid          out  1         in the next cycle
        value          out  signed sum_bits  the column in units of the lowest slice
        target         out  target_bits
        first          out  1         no earlier column has this target
    Latency  2 from ``convert`` to the stored accumulator, 1 from ``add`` to ``value``
    Rate     one column converted and one added in each cycle
    Errors   none; a lane whose last slot has no column is not asked for it
    Golden   ``verif.reference.crossbar.lane``
    Source   seed 003, Fig. 2 (b); the encoding: docs/crossbar-rules.md
    """

    family = "crossbar"

    def __init__(self, *, sizes: ArraySizes) -> None:
        self._sizes = sizes
        slot = bits_for_index(sizes.slots)
        self._sums = TwoReads(depth=2 << slot, width=sizes.accumulator_bits)
        self._columns = TwoReads(depth=1 << slot, width=sizes.column.size)
        self.parts = [self._sums, self._columns]
        super().__init__(
            {
                "load": In(1),
                "load_slot": In(slot),
                "column": In(sizes.column),
                "convert": In(1),
                "convert_slot": In(slot),
                "convert_first": In(1),
                "convert_shift": In(bits_for_index(sizes.bit_steps * sizes.dac_bits)),
                "convert_half": In(1),
                "code": In(sizes.adc_bits),
                **({} if sizes.pairs else {"unit": Out(bits_for_index(sizes.units))}),
                **({"trim": Out(signed(TRIM_BITS))} if sizes.effects else {}),
                **({} if sizes.pairs else {"input_sum": In(sizes.input_sum_bits)}),
                "add": In(1),
                "add_slot": In(slot),
                "add_half": In(1),
                "valid": Out(1),
                "value": Out(signed(sizes.sum_bits)),
                "target": Out(bits_for_index(sizes.targets)),
                "first": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        # Only widths differ: layers of one width share a module.
        sizes = self._sizes
        unit = bits_for_index(sizes.units)
        widths = len(self.load_slot), unit, len(self.target), len(self.value)
        return "x".join(map(str, widths))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sizes = self._sizes
        m.submodules.columns = columns = self._columns.instance()
        m.submodules.sums = sums = self._sums.instance()
        converted, added = Signal(sizes.column), Signal(sizes.column)
        convert, slot, begin, shift, half = (
            Signal.like(port, name=f"{name}_1")
            for name, port in (
                ("convert", self.convert),
                ("slot", self.convert_slot),
                ("first", self.convert_first),
                ("shift", self.convert_shift),
                ("half", self.convert_half),
            )
        )
        m.d.sync += [
            convert.eq(self.convert),
            slot.eq(self.convert_slot),
            begin.eq(self.convert_first),
            shift.eq(self.convert_shift),
            half.eq(self.convert_half),
        ]
        # cycle 1 of a conversion: one more code
        wide = sizes.adc_bits + sizes.bit_steps * sizes.dac_bits + sizes.step_bits
        start = (
            Const(0) if sizes.pairs else Signal(signed(sizes.accumulator_bits + 1), name="start")
        )
        code = Signal(signed(wide) if sizes.pairs else wide, name="code_shifted")
        before = Mux(begin, start, sums.data_0)
        after = before + code
        if not sizes.pairs:
            after = Mux(converted.flip, before - code, after)
        m.d.comb += [
            columns.clk.eq(ClockSignal()),
            columns.write_en.eq(self.load),
            columns.write_index.eq(self.load_slot),
            columns.write_data.eq(self.column),
            columns.index_0.eq(slot),
            columns.index_1.eq(self.add_slot),
            converted.eq(columns.data_0),
            added.eq(columns.data_1),
            *([] if sizes.pairs else [self.unit.eq(converted.unit)]),
            *([] if sizes.pairs else [start.eq(self._start(converted))]),
            code.eq(self._worth(self._code(m, converted)) << shift),
            sums.clk.eq(ClockSignal()),
            sums.write_en.eq(convert),
            sums.write_index.eq(Cat(slot, half)),
            sums.write_data.eq(after),
            sums.index_0.eq(Cat(slot, half)),
            sums.index_1.eq(Cat(self.add_slot, self.add_half)),
        ]
        # cycle 1 of an addition: the weight of the slice
        total = Signal(signed(sizes.accumulator_bits + 1))
        is_signed = Const(1) if sizes.effects or sizes.pairs else self._is_top(added)
        m.d.comb += total.eq(Cat(sums.data_1, sums.data_1[-1] & is_signed))
        m.d.sync += [
            self.valid.eq(self.add),
            self.target.eq(added.target),
            self.first.eq(added.first),
        ]
        with m.Switch(added.cell_slice):
            for place in range(sizes.slices):
                with m.Case(place):
                    m.d.sync += self.value.eq(total << (place * sizes.cell_bits))
        return m

    def _code(self, m: Module, column: data.View) -> Value:
        """Return the code; with effects cut to the bits of the converter, whose trim is driven."""
        bits, pairs = self._sizes.adc_bits, self._sizes.pairs
        code = self.code.as_signed() if pairs else self.code
        if not self._sizes.effects:
            return code
        m.d.comb += self.trim.eq(column.trim)
        if pairs:
            cut, most, least = (Signal(signed(bits), name=one) for one in ("cut", "most", "least"))
            m.d.comb += [
                most.eq(Const((1 << bits - 1) - 1) >> column.less),
                least.eq(-(Const(1 << bits - 1) >> column.less)),
                cut.eq(Mux(code < least, least, Mux(code > most, most, code))),
            ]
            return cut
        cut, most = Signal(bits), Signal(bits)
        m.d.comb += [
            most.eq(Const((1 << bits) - 1) >> column.less),
            cut.eq(Mux(code > most, most, code)),
        ]
        return cut

    def _worth(self, code: Value) -> Value:
        """Return the sums that a code stands for."""
        return code << self._sizes.step_bits if self._sizes.step_bits else code

    def _is_top(self, column: data.View) -> Signal:
        return column.cell_slice == self._sizes.slices - 1

    def _start(self, column: data.View) -> Signal:
        """Return where the accumulator of a column begins."""
        most = (1 << self._sizes.cell_bits) - 1
        flipped = Mux(column.flip, self.input_sum * most, Const(0))
        offset = Mux(self._is_top(column), self.input_sum << self._sizes.offset_shift, Const(0))
        return flipped - offset
