"""Controller of an octet: the order of the ANDs of a load.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import in_range_of, must
from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.timing import WRITE_BACK_CYCLES
from hwgen.mram.rtl import layouts

DEGREE_BITS = 6
"""Of a sum of two numbers of planes, as wide as those of a record."""


class OctetControl(Part):
    """After ``go``, one AND in each cycle: weight plane n with input plane m, in falling n + m.

    For d = weight_planes + input_planes - 2 down to 0, row set r, n + m = d with n rising: rows
    ``weight_row_r + n`` and ``weight_rows + r * input_planes + m``. In a row set with ``twins`` n
    rises by 2, and the highest weight plane follows alone.

    Ports
        record        in   record    of a convolution, constant while the octet works
        go            in   1         all input rows of a load are written after this cycle
        half, flush   in   1         with ``overlap``, of ``go``: the load's inputs are the upper
                                     ones; there is no load, sums are moved alone
        and_en        out  1         with ``write_back``: until the AND is counted
        phase         out  2         with ``write_back``, of an AND: sense, write, read and count
        summed        in   1         with ``accumulate: in_array``, in a fourth phase: the counts of
                                     the AND are added after this cycle
        degree, last  out            with it: n + m of the AND, and whether it is the load's last
        row_0, row_1  out  row_bits  weight plane and input plane
        row_set       out  1         r
        first         out  1         AND of a load
        double        out  1         first AND of each n + m but the highest
        subtract      out  1         the weight plane is the highest one: two's complement
        free          out  1         no load, or the last AND of one: input rows may be written
                                     from the next cycle on; with ``overlap`` and room for two
                                     loads: none waits
        capture       out  1         with ``overlap``: the sums before move to the registers
    With ``overlap`` a go may come while ANDs run; it waits for the last one.

    Latency  with ``go`` at u the ANDs are at u + 1 to u + weight_planes * input_planes * row sets
    Rate     one AND in each cycle, no gaps; with ``write_back`` in ``WRITE_BACK_CYCLES``, with
             ``accumulate: in_array`` and those until ``summed``
    Errors   none: both numbers of planes of a record are at least 1
    Golden   ``verif.reference.mram.bit_convolution``; the bench has the rule
    Source   seed 001, Eq. 5, in an order that needs no shifter
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "go": In(1),
                **dict.fromkeys(("half", "flush") if arch.overlap else (), In(1)),
                **({"capture": Out(1)} if arch.overlap else {}),
                **({"phase": Out(range(phases_of(arch)))} if arch.write_back else {}),
                **(
                    {"summed": In(1), "degree": Out(DEGREE_BITS), "last": Out(1)}
                    if arch.in_array
                    else {}
                ),
                "and_en": Out(1),
                "row_0": Out(arch.row_index_bits),
                "row_1": Out(arch.row_index_bits),
                "row_set": Out(1),
                "first": Out(1),
                "double": Out(1),
                "subtract": Out(1),
                "free": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inputs, weights = self.record.input_planes, self.record.weight_planes
        degree = Signal(len(inputs) + 1)
        n = Signal(len(weights))
        lowest, highest = Signal.like(n), Signal.like(n)
        new_degree, degree_ends, last = Signal(), Signal(), Signal()
        moves = self.and_en
        row_ends, following = n == highest, n + 1
        if self._arch.twins:
            row_ends, following = self._twins(n, highest)
        begins, free = self.go, Mux(self.and_en, last, ~self.go)
        first_row: Value = Const(self._arch.weight_rows)
        if self._arch.write_back:
            moves = self._phases(m)
            free = Mux(self.and_en, last & moves, ~self.go)
        if self._arch.overlap:
            begins, free, first_row = self._overlap(m, last)
        m.d.comb += [
            lowest.eq(lowest_weight_plane(degree, inputs)),
            highest.eq(Mux(degree < weights, degree, weights - 1)),
            new_degree.eq((n == lowest) & ~self.row_set),
            degree_ends.eq(row_ends & (self.row_set == self.record.two_rows)),
            # Degree 0 has one AND a row set: its planes need not be looked at.
            last.eq((degree == 0) & (self.row_set == self.record.two_rows)),
            self.free.eq(free),
            *([self.degree.eq(degree), self.last.eq(last)] if self._arch.in_array else []),
            self.double.eq(new_degree & ~self.first),
            self.subtract.eq(n == weights - 1),
            self.row_0.eq(
                n + Mux(self.row_set, self.record.weight_row_1, self.record.weight_row_0)
            ),
            self.row_1.eq(first_row + Mux(self.row_set, inputs, 0) + (degree - n)[: len(degree)]),
        ]
        with m.If(begins):
            m.d.sync += [
                self.and_en.eq(1),
                self.first.eq(1),
                self.row_set.eq(0),
                degree.eq(weights + inputs - 2),
                n.eq(weights - 1),
            ]
        with m.Elif(moves):
            m.d.sync += [self.and_en.eq(~last), self.first.eq(0)]
            with m.If(degree_ends):
                m.d.sync += [
                    degree.eq(degree - 1),
                    self.row_set.eq(0),
                    n.eq(lowest_weight_plane(degree - 1, inputs)),
                ]
            with m.Elif(row_ends):
                m.d.sync += [self.row_set.eq(1), n.eq(lowest)]
            with m.Else():
                m.d.sync += n.eq(following)
        in_range_of(m, "n", n, weights - 1, when=self.and_en)
        in_range_of(m, "degree", degree, weights + inputs - 2, when=self.and_en)
        if not self._arch.overlap:
            room = ~self.and_en | last
            must(m, room, "the control must take no word while it is full", when=begins)
        return m

    def _phases(self, m: Module) -> Value:
        """Count the cycles of an AND that is written back; return whether it is counted now."""
        ends = self.phase == phases_of(self._arch) - 1
        following = self.phase + 1
        if self._arch.in_array:
            ends, following = ends & self.summed, Mux(ends, self.phase, following)
        with m.If(self.go):
            m.d.sync += self.phase.eq(0)
        with m.Elif(self.and_en):
            m.d.sync += self.phase.eq(Mux(ends, 0, following))
        return self.and_en & ends

    def _twins(self, n: Signal, highest: Signal) -> tuple[Value, Value]:
        """Return whether n ends a row set, and the next n: with twins in steps of two.

        The highest weight plane stands alone, for it counts negative.
        """
        alone = self.record.weight_planes - 1
        twins = self.row_set & (self.record.twins != 0)
        ends = (n == highest) | (twins & (n + 1 == highest) & (highest != alone))
        return ends, Mux(twins, Mux(n + 2 < alone, n + 2, alone), n + 1)

    def _overlap(self, m: Module, last: Signal) -> tuple[Value, Value, Value]:
        """Let a go wait for the last AND; return when ANDs begin, `free`, and the first row."""
        waits, flush, flushes = Signal(), Signal(), Signal()
        half, waiting_half = Signal(), Signal()
        asked, over = self.go | waits, ~self.and_en | last
        asked_flush = Mux(waits, flush, self.flush)
        planes = self.record.input_planes << self.record.two_rows
        m.d.sync += [waits.eq(asked & ~over), flushes.eq(asked & over & asked_flush)]
        with m.If(self.go & ~waits):
            m.d.sync += [flush.eq(self.flush), waiting_half.eq(self.half)]
        with m.If(asked & over):
            m.d.sync += half.eq(Mux(waits, waiting_half, self.half))
        m.d.comb += self.capture.eq(flushes | (self.and_en & self.first))
        free = ~asked & (layouts.two_loads(self.record, self._arch) | over)
        return asked & over & ~asked_flush, free, self._arch.weight_rows + Mux(half, planes, 0)


def phases_of(arch: Arch) -> int:
    """Return the phases of an AND that is written back; in the last one its counts are added."""
    return WRITE_BACK_CYCLES + arch.in_array


def lowest_weight_plane(degree: Value, inputs: Value) -> Value:
    """Return the lowest n for which ``m = degree - n`` is an input plane."""
    return Mux(degree >= inputs, degree - inputs + 1, 0)
