"""In-memory adder: adds two rows after the other, bit by bit, and writes the sums back.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.timing import ADD_CYCLES_PER_BIT
from hwgen.mram.rtl import layouts


class Adder(Part):
    """Sequences the addition of a record: the rows of result = operand a + operand b, each column.

    First zeros go to the carry row; then for each of ``input_planes`` bits: sense rows of a, b and
    the carry, write their sum, write their carry.

    Ports
        record        in   record    of an addition, constant while ``adding``
        add_go        in   1         in the cycle before
        row_0, row_1  out  row_bits  rows of the operands
        row_2         out  row_bits  row of the carry
        write_row     out  row_bits  row of the result, or of the carry
        xor_en        out  1         sense sum and carry into the latches
        write_zeros   out  1
        write_sum     out  1
        write_carry   out  1
        adding        out  1
    Latency  the zeros are written in the cycle after ``add_go``
    Rate     ``ADD_CYCLES_PER_BIT`` cycles a bit
    Errors   none: a record adds at least one bit
    Golden   ``verif.reference.mram.adder``
    Source   seed 001, III-B: addition from the three-row references
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        rows = arch.row_index_bits
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "add_go": In(1),
                "row_0": Out(rows),
                "row_1": Out(rows),
                "row_2": Out(rows),
                "write_row": Out(rows),
                "xor_en": Out(1),
                "write_zeros": Out(1),
                "write_sum": Out(1),
                "write_carry": Out(1),
                "adding": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bit = Signal(len(self.record.input_planes))
        phase = Signal(range(ADD_CYCLES_PER_BIT))
        senses = self.adding & ~self.write_zeros
        m.d.comb += [
            self.row_0.eq(self.record.weight_row_0 + bit),
            self.row_1.eq(self.record.weight_row_1 + bit),
            self.row_2.eq(self.record.carry_row),
            self.xor_en.eq(senses & (phase == 0)),
            self.write_sum.eq(senses & (phase == 1)),
            self.write_carry.eq(senses & (phase == ADD_CYCLES_PER_BIT - 1)),
            self.write_row.eq(self.record.carry_row),
        ]
        with m.If(self.write_sum):
            m.d.comb += self.write_row.eq(self.record.result_row + bit)
        m.d.sync += self.write_zeros.eq(self.add_go)
        with m.If(self.add_go):
            m.d.sync += [self.adding.eq(1), bit.eq(0), phase.eq(0)]
        with m.Elif(self.write_carry):
            m.d.sync += [phase.eq(0), bit.eq(bit + 1)]
            m.d.sync += self.adding.eq(bit + 1 != self.record.input_planes)
        with m.Elif(senses):
            m.d.sync += phase.eq(phase + 1)
        return m
