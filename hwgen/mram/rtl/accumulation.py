"""Order of what an octet does with the counts of an AND on a chip that adds them in its rows.

Tests: `tests/verif/mram/test_chip_in_array.py`.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import one_hot, within
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch

CLEAR, COUNT, ADD, READ = STEPS = range(4)
"""What happens to the counts of an AND, in this order: of the first of a load all but the last, of
its last all but the first."""


class Accumulation(Part):
    """After each AND writes its counts to rows and has them added; reads the sums of a load.

    Before the counts of the first AND of a load the rows of the sum receive zeros; after those of
    the last one they are read, the highest bit first.

    Ports
        counted     in   1         the counts of an AND are there, until ``summed``
        first, last in   1         of the AND: of a load; constant from the cycle before on
        adding      in   1         the in-memory adder works
        clear       out  1         write zeros to row ``index`` of the sum
        count_en    out  1         write bit ``index`` of the counts to its row
        add_go      out  1         the adder begins in the next cycle
        read_sum    out  1         read row ``sum_rows`` - 1 - ``index`` of the sum
        index       out  row_bits  counts from 0 in each of them
        summed      out  1         last cycle
    Latency  0 from ``counted`` to the first row
    Rate     ``sum_rows`` rows of zeros, ``count_rows`` rows of counts, the addition and
             ``ADDED_CYCLES`` - 1 cycle, ``sum_rows`` rows read; without gaps
    Errors   none
    Golden   ``verif.reference.mram.bit_convolution``, by the sums of ``octet``
    Source   seed 001, IV-A, Fig. 5: counts are shifted by writing, and added in memory
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "counted": In(1),
                "first": In(1),
                "last": In(1),
                "adding": In(1),
                "clear": Out(1),
                "count_en": Out(1),
                "add_go": Out(1),
                "read_sum": Out(1),
                "index": Out(bits_for_index(max(arch.sum_rows, arch.count_rows))),
                "summed": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        arch, index = self._arch, self.index
        step = Signal(STEPS)
        done = Signal()
        sum_ends, count_ends = index == arch.sum_rows - 1, index == arch.count_rows - 1
        m.d.comb += [
            self.clear.eq(self.counted & (step == CLEAR)),
            self.count_en.eq(self.counted & (step == COUNT)),
            self.read_sum.eq(self.counted & (step == READ)),
            self.add_go.eq(self.count_en & count_ends),
            done.eq((step == ADD) & ~self.adding),
            self.summed.eq(self.counted & ((done & ~self.last) | ((step == READ) & sum_ends))),
        ]
        m.d.sync += index.eq(index + 1)
        with m.If(~self.counted):
            m.d.sync += [step.eq(Mux(self.first, CLEAR, COUNT)), index.eq(0)]
        with m.Elif(self.clear & sum_ends):
            m.d.sync += [step.eq(COUNT), index.eq(0)]
        with m.Elif(self.add_go):
            m.d.sync += [step.eq(ADD), index.eq(0)]
        with m.Elif(step == ADD):
            m.d.sync += index.eq(0)
            with m.If(done):
                m.d.sync += step.eq(READ)
        within(m, "index", index, arch.sum_rows, when=self.clear | self.read_sum)
        within(m, "index", index, arch.count_rows, when=self.count_en)
        accesses = [self.clear, self.count_en, self.read_sum, self.adding]
        one_hot(m, "accesses to rows of sums", accesses)
        return m
