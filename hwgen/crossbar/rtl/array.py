"""Array: from inputs in registers to the sums of one layer in one macro."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.levels import LEVEL_STEPS, TRIM_BITS
from hwgen.crossbar.rtl.addition import Addition, Pairs
from hwgen.crossbar.rtl.bank import Bank
from hwgen.crossbar.rtl.conversions import Conversions, Lane, rounded
from hwgen.crossbar.rtl.memories import ManyReads
from hwgen.crossbar.rtl.sizes import ArraySizes


class Array(Part):
    """Bank, lanes and addition of one layer, with all ADCs of the layer on the outside.

    ``sum[copy, channel] = sum over rows of weight * input``, of the rows that this macro holds

    Ports
        cell_write   in   1            store a part of a column, see `Bank`
        cell_column  in   column_bits
        cell_part    in   part_index_bits
        cell_data    in   part_bits
        lane_write   in   lanes        lane e stores what belongs to its column
        lane_slot    in   slot_bits
        column       in   loaded       of ``ArraySizes``
        trimmed      in   1            with effects: the converter is trimmed
        row_...      in                inputs, see `Bank`
        sum_write    in   1            the sum of a unit's inputs is whole
        sum_unit     in   unit_bits
        sum_half     in   1            parity of the block
        sum_data     in   input_sum_bits
        multiply     in   1            strobes, each with the parity of the block and the bit step
        convert      in   1            that go with it
        add          in   1
        ..._bit, ..._half
        converting   out  1            a slot is converted: ``analog`` and ``codes`` are those of it
        ends         out  1            it is the last slot
        analog       out  lanes x analog_bits  to the ADCs
        codes        in   lanes x adc_bits     from them, in the same cycle
        last_lanes   in   lanes        constant: lanes that have a column in the last slot
        read_index   in   reads x target_bits
        read_half    in   1            parity of the block
        read_data    out  reads x sum_bits     signed, in the same cycle
        late         out  1            a strobe came too early
    Effects  the trim of a column is measured when its last part is written, and is off ``analog``
    Latency  of ``convert`` and ``add``: `Conversions`, `Addition`
    Rate     a bit step in ``slots`` clocks, or what slower ADCs need
    Errors   ``late``
    Golden   ``verif.reference.crossbar.addition``
    Source   seed 003, Fig. 2; docs/crossbar-rules.md
    """

    family = "crossbar"

    def __init__(self, *, sizes: ArraySizes, reads: int, meeting: Pairs) -> None:
        self._sizes = sizes
        self._bank = Bank(sizes=sizes)
        self._lane = Lane(sizes=sizes)
        self._conversions = Conversions(sizes=sizes)
        self._addition = Addition(sizes=sizes, reads=reads, meeting=meeting)
        self._reads, self._meeting = reads, meeting
        self.parts = [self._bank, self._lane, self._conversions, self._addition]
        sums = {}
        if not sizes.pairs:
            # The sums of the inputs of each unit, of two blocks that lie behind each other.
            self._input_sums = ManyReads(
                depth=2 << bits_for_index(sizes.units),
                width=sizes.input_sum_bits,
                reads=sizes.lanes,
            )
            self.parts.append(self._input_sums)
            sums = {
                "sum_write": In(1),
                "sum_unit": In(bits_for_index(sizes.units)),
                "sum_half": In(1),
                "sum_data": In(sizes.input_sum_bits),
            }
        bank = self._bank.signature.members
        rows = ["cell_write", "cell_column", "cell_part", "cell_data"]
        rows += ["row_write", "row_unit", "row_first", "row_count", "row_data"]
        super().__init__(
            {name: bank[name] for name in rows}
            | {
                "lane_write": In(sizes.lanes),
                "lane_slot": In(bits_for_index(sizes.slots)),
                "column": In(sizes.loaded),
                **({"trimmed": In(1)} if sizes.effects else {}),
                **sums,
                "multiply": In(1),
                "multiply_bit": In(bits_for_index(sizes.bit_steps)),
                "convert": In(1),
                "convert_bit": In(bits_for_index(sizes.bit_steps)),
                "convert_half": In(1),
                "add": In(1),
                "add_half": In(1),
                "converting": Out(1),
                "ends": Out(1),
                "analog": Out(sizes.lanes * sizes.analog_bits),
                "codes": In(sizes.lanes * sizes.adc_bits),
                "last_lanes": In(sizes.lanes),
                "read_index": In(reads * bits_for_index(sizes.targets)),
                "read_half": In(1),
                "read_data": Out(reads * sizes.sum_bits),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return self._addition.size_suffix

    @property
    def lanes(self) -> int:
        """How often a lane is placed."""
        return self._sizes.lanes

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bank = bank = self._bank.instance()
        m.submodules.conversions = conversions = self._conversions.instance()
        m.submodules.addition = addition = self._addition.instance()
        sums = [] if self._sizes.pairs else [self._sums_of_inputs(m)]
        for name in self._bank.signature.members:
            if name in self.signature.members:
                m.d.comb += getattr(bank, name).eq(getattr(self, name))
        m.d.comb += [
            bank.cell_unit.eq(self.column.unit),
            bank.feed.eq(self.multiply),
            bank.feed_bit.eq(self.multiply_bit),
            bank.hold.eq(self.convert),
            bank.ask.eq(conversions.ask),
            bank.slot.eq(conversions.slot),
            *([bank.read.eq(self._read(m))] if self._sizes.noisy_reads else []),
            *([] if self._sizes.effects else [self.analog.eq(bank.sums)]),
            conversions.convert.eq(self.convert),
            conversions.convert_bit.eq(self.convert_bit),
            conversions.convert_half.eq(self.convert_half),
            addition.add.eq(self.add),
            addition.add_half.eq(self.add_half),
            addition.last_lanes.eq(self.last_lanes),
            addition.read_index.eq(self.read_index),
            addition.read_half.eq(self.read_half),
            self.read_data.eq(addition.read_data),
            *(assignment for one in sums for assignment in self._added_up(one)),
            self.late.eq(conversions.late | addition.late),
        ]
        m.d.sync += [self.converting.eq(conversions.ask), self.ends.eq(conversions.last)]
        lanes = self._lanes(m, conversions, addition, sums)
        if self._sizes.effects:
            self._trim(m, bank, lanes)
        return m

    def _read(self, m: Module) -> Signal:
        """Return the number of the read whose columns are asked for, from 0 in each image."""
        last = self._sizes.noisy_reads - 1
        read = Signal(bits_for_index(last + 1), init=last)
        with m.If(self.convert):
            m.d.sync += read.eq(Mux(read == last, 0, read + 1))
        return read

    def _trim(self, m: Module, bank: PartInstance, lanes: Sequence[PartInstance]) -> None:
        """Take whole codes off what converters see; store the trim of a column as it was measured.

        The bank gives what a column gives without inputs a clock behind its last part, and so
        lanes store what they know of a column a clock later than without effects.
        """
        bits, write = self._sizes.analog_bits, Signal.like(self.lane_write, name="lane_write_1")
        slot, column = Signal.like(self.lane_slot, name="lane_slot_1"), Signal(self._sizes.loaded)
        trimmed, trim = Signal(name="trimmed_1"), Signal(signed(TRIM_BITS))
        m.d.sync += [
            write.eq(self.lane_write),
            slot.eq(self.lane_slot),
            column.eq(self.column),
            trimmed.eq(self.trimmed),
        ]
        m.d.comb += [
            trim.eq(Mux(trimmed, self._codes_of(bank.measured), 0)),
            self.analog.eq(
                Cat(
                    (bank.sums.word_select(place, bits).as_signed() - (lane.trim << LEVEL_STEPS))[
                        :bits
                    ]
                    for place, lane in enumerate(lanes)
                )
            ),
        ]
        for place, lane in enumerate(lanes):
            m.d.comb += [
                lane.load.eq(write[place]),
                lane.load_slot.eq(slot),
                lane.column.eq(Cat(self._kept(column), trim)),
            ]

    def _kept(self, column: data.View) -> Value:
        """Return what lanes keep of what is loaded of a column, as it lies in theirs."""
        if not self._sizes.pairs:
            return Value.cast(column)
        return Cat(column[name] for name, _ in self._sizes.loaded if self._sizes.keeps(name))

    def _sums_of_inputs(self, m: Module) -> PartInstance:
        """Place the sums of inputs, from which lanes take what columns hold beside weights."""
        m.submodules.input_sums = input_sums = self._input_sums.instance()
        return input_sums

    def _added_up(self, input_sums: PartInstance) -> list[Any]:
        """Return what stores the sum of a unit."""
        return [
            input_sums.clk.eq(ClockSignal()),
            input_sums.write_en.eq(self.sum_write),
            input_sums.write_index.eq(self.sum_unit | (self.sum_half << len(self.sum_unit))),
            input_sums.write_data.eq(self.sum_data),
        ]

    def _codes_of(self, measured: Value) -> Value:
        """Return the sums that the code of a column without inputs stands for."""
        step = self._sizes.step_bits
        return rounded(measured.as_signed() >> step) << step if step else rounded(measured)

    def _lanes(
        self,
        m: Module,
        conversions: PartInstance,
        addition: PartInstance,
        sums: Sequence[PartInstance],
    ) -> list[PartInstance]:
        """Place the lanes between conversions and addition."""
        sizes = self._sizes
        bits = sizes.input_sum_bits
        half_1 = Signal()
        if sums:
            m.d.sync += half_1.eq(conversions.half)
        lanes = []
        for place in range(sizes.lanes):
            m.submodules[f"lane_{place}"] = lane = self._lane.instance()
            lanes.append(lane)
            if not sizes.effects:
                m.d.comb += [
                    lane.load.eq(self.lane_write[place]),
                    lane.load_slot.eq(self.lane_slot),
                    lane.column.eq(self._kept(self.column)),
                ]
            m.d.comb += [
                lane.convert.eq(conversions.ask & (~conversions.last | self.last_lanes[place])),
                lane.convert_slot.eq(conversions.slot),
                lane.convert_first.eq(conversions.first),
                lane.convert_shift.eq(conversions.shift),
                lane.convert_half.eq(conversions.half),
                lane.code.eq(self.codes.word_select(place, sizes.adc_bits)),
                *(lane.input_sum.eq(one.data.word_select(place, bits)) for one in sums),
                lane.add.eq(addition.slot_valid),
                lane.add_slot.eq(addition.slot),
                lane.add_half.eq(addition.half),
            ]
        # All lanes at once: Amaranth looks at every bit of a signal for each of its assignments.
        m.d.comb += [
            *(one.index.eq(Cat(Cat(lane.unit, half_1) for lane in lanes)) for one in sums),
            addition.value.eq(Cat(lane.value for lane in lanes)),
            addition.target.eq(Cat(lane.target for lane in lanes)),
            addition.first.eq(Cat(lane.first for lane in lanes)),
            addition.valid.eq(lanes[0].valid),
        ]
        return lanes
