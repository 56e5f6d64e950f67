"""Residual adder of a core: adds a stored map to the results of a convolution."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import ROW_BITS, Opcode
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.region import Region, address_of, bank_of

OF_A_SUM = (
    *("output_zero_point", "second_zero_point"),
    *("sum_shift", "sum_zero_point", "sum_low", "sum_high"),
)
"""Numbers of a layer that its sums need beside their factors."""


class ResidualAdder(Part):
    """``y[f] = requantize((a[f] - za) * Ma + (b[f] - zb) * Mb)``: one shift and one rounding.

    a is a result of the output stage, b the bytes of the second map at the same position and
    channels, which the own slice holds. Without `adds` results pass in the same cycle, unchanged.

    Pipeline
        cycle 0  a result is offered: the bank of its byte b is read, again in each cycle in which
                 the result waits; the result enters stage 1
        cycle 1  stage 1 holds the result; b is there, and is kept while the result waits
        cycle 2  stage 2 holds the weighted sums, which are rounded, shifted and clipped
        cycle 3  stage 3 holds the bytes and requests the write

    Ports
        layer         in      CONV packet       held from a clock before the first result until all
                                                are written
        work          in      work              `second_first` of this core
        result        stream  layouts.bus_write F bytes of one position, in every part of the word
        bank_read_en  out     M                 bit b: read bank b at this clock edge; it goes
                                                before the reads of the fetcher
        bank_address  out     address_bits      of that bank
        bank_data     in      M x C bytes       what has been read, one cycle later
        request       stream  layouts.bus_write the same with the sums
        empty         out     1                 stages 1 to 3 are empty
    Latency  ``SUM_CYCLES`` from a result to the request of its sum; 0 without `adds`
    Rate     1 a cycle; a stage loads when it is empty or its content moves on
    Errors   none; with `raw`, `adds` must be 0
    Golden   ``verif.reference.dbpim.simd.add``
    Source   docs/dbpim-microarchitecture.md, "residual_adder"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._requantizer = layouts.requantizer(arch, scales=False)
        self.parts = [self._requantizer]
        write = layouts.bus_write(arch)
        super().__init__(
            {
                "layer": In(layouts.packet(Opcode.CONV, arch)),
                "work": In(layouts.work()),
                "result": In(stream.Signature(write)),
                "bank_read_en": Out(arch.banks),
                "bank_address": Out(arch.bank_address_bits),
                "bank_data": In(data.ArrayLayout(layouts.word_bytes(arch), arch.banks)),
                "request": Out(stream.Signature(write)),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        write = layouts.bus_write(self._arch)
        adds = self.layer.adds
        valids = [Signal(name=f"valid_{stage}") for stage in (1, 2, 3)]
        stages = [Signal(write, name=f"stage_{stage}") for stage in (1, 2, 3)]
        self.guarded(*stages)
        moves = [Signal(name=f"moves_{stage}") for stage in (1, 2, 3)]
        m.d.comb += [
            moves[2].eq(~valids[2] | self.request.ready),
            moves[1].eq(~valids[1] | moves[2]),
            moves[0].eq(~valids[0] | moves[1]),
            self.result.ready.eq(Mux(adds, moves[0], self.request.ready)),
            self.request.valid.eq(Mux(adds, valids[2], self.result.valid)),
            self.request.payload.eq(Mux(adds, stages[2], self.result.payload)),
            self.empty.eq(~(valids[0] | valids[1] | valids[2])),
        ]
        # Cycle 0: read map b. Cycle 1: multiply and add.
        bank, address = self._place(m)
        m.d.comb += [
            # Without a result its place may be anything, and no bank is read.
            self.bank_read_en.eq(Mux(adds & self.result.valid, Const(1) << bank, 0)),
            self.bank_address.eq(address),
        ]
        # A stage loads results alone: its registers and multipliers are still without one.
        enters = [moves[0] & adds & self.result.valid, moves[1] & valids[0], moves[2] & valids[1]]
        addend = self._addend(m, bank=bank, take=enters[0], result=stages[0], valid=valids[0])
        with m.If(moves[0]):
            m.d.sync += valids[0].eq(adds & self.result.valid)
        with m.If(enters[0]):
            m.d.sync += stages[0].eq(self.result.payload)
        # Cycle 2: shift and clip. Cycle 3: the request holds until it is taken.
        lanes = self._add(m, take=enters[1], result=stages[0], addend=addend)
        with m.If(moves[1]):
            m.d.sync += valids[1].eq(valids[0])
        with m.If(enters[1]):
            m.d.sync += stages[1].eq(stages[0])
        with m.If(moves[2]):
            m.d.sync += valids[2].eq(valids[1])
        with m.If(enters[2]):
            m.d.sync += stages[2].eq(stages[1])
            for byte in range(self._arch.word):
                lane = lanes[byte % self._arch.filters]
                m.d.sync += byte_of(stages[2].data, byte).eq(lane.result)
        return m

    def _place(self, m: Module) -> tuple[Signal, Signal]:
        """Return bank and address of the word of map b that belongs to the result."""
        arch, layer, result = self._arch, self.layer, self.result.payload
        bank = Signal(bits_for_index(arch.banks))
        address = Signal(arch.bank_address_bits)
        column = Signal(ROW_BITS)
        place = {"row": result.row, "column": column}
        region = Region(
            layer.second_base,
            layer.second_row_pitch,
            layer.second_channel_words,
            self.work.second_first,
        )
        m.d.comb += [
            column.eq(result.column + layer.second_column),
            bank.eq(bank_of(arch, **place)),
            address.eq(address_of(arch, region, **place, word=result.word)),
        ]
        return bank, address

    def _addend(
        self, m: Module, *, bank: Value, take: Value, result: data.View, valid: Value
    ) -> list[Value]:
        """Return the F bytes of map b for the result in stage 1; zeros while there is none."""
        arch = self._arch
        read, fresh = Signal.like(bank), Signal()
        word, held = Signal(layouts.word_bytes(arch)), Signal(layouts.word_bytes(arch))
        self.guarded(read, held)
        m.d.sync += fresh.eq(take)
        with m.If(fresh):
            m.d.sync += held.eq(word)
        with m.If(take):
            m.d.sync += read.eq(bank)
        answers = [answer.as_value() for answer in self.bank_data]
        m.d.comb += word.eq(Mux(fresh, choose(answers, read), held))
        parts = range(0, arch.word, arch.filters)
        found = []
        for index in range(arch.filters):
            byte = Signal(ACTIVATION_BITS, name=f"addend_{index}")
            for first in parts:
                with m.If(valid & result.enable[first]):
                    m.d.comb += byte.eq(word[first + index])
            found.append(byte)
        return found

    def _add(
        self, m: Module, *, take: Value, result: data.View, addend: list[Value]
    ) -> list[PartInstance]:
        """Place a requantizer for each filter; its register holds the weighted sum of stage 2."""
        lanes, factor = [], self._arch.factor_bits
        fields: dict[str, Any] = dict.fromkeys(("result_multiplier", "second_multiplier"), factor)
        rounds = ["sum_rounding"] if hasattr(self._requantizer, "rounding") else []
        fields |= {name: self.layer.shape()[name].shape for name in (*OF_A_SUM, *rounds)}
        # The sequencer is far away; a layer is held from before its first result on.
        layer = Signal(data.StructLayout(fields), name="kept")
        self.guarded(layer)
        m.d.sync += [getattr(layer, name).eq(getattr(self.layer, name)) for name in fields]
        factors = [layer.result_multiplier, layer.second_multiplier]
        # What the zero points are too much in each sum of the layer, one clock behind it.
        zero = Signal(signed(ACCUMULATOR_BITS))
        self.guarded(zero)
        points = [layer.output_zero_point, layer.second_zero_point]
        m.d.sync += zero.eq(points[0] * factors[0] + points[1] * factors[1])
        for index, byte in enumerate(addend):
            m.submodules[f"requantizer_{index}"] = lane = self._requantizer.instance()
            total = Signal(signed(ACCUMULATOR_BITS), name=f"total_{index}")
            first = byte_of(result.data, index)
            m.d.comb += [
                total.eq(first * factors[0] + byte * factors[1] - zero),
                lane.enable.eq(take),
                lane.accumulator.eq(total),
                lane.multiplier.eq(1),
                lane.shift.eq(layer.sum_shift),
                lane.zero_point.eq(layer.sum_zero_point),
                lane.low.eq(layer.sum_low),
                lane.high.eq(layer.sum_high),
                *(layouts.choose_rounding(lane, layer.sum_rounding) if rounds else []),
            ]
            lanes.append(lane)
        return lanes


def byte_of(word: Value, index: int) -> Value:
    """Return a byte of a word."""
    return word[ACTIVATION_BITS * index : ACTIVATION_BITS * (index + 1)]
