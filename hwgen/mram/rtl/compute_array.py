"""A sub-array that computes, with the counters and accumulators beside it.

Tests: `tests/verif/mram/test_parts.py`.
"""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import one_hot, within
from hwgen.chip.rtl.choose import choose_below
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import segment_bits
from hwgen.mram.rtl.bit_counter import BitCounter
from hwgen.mram.rtl.sub_array import SubArray
from hwgen.mram.rtl.weak_cells import WeakCells

ADDING = ("xor_en", "write_sum", "write_carry")
"""Commands of the in-memory adder."""
COUNTING = ("write_count", "read_sum", "first_sum")
"""Commands for counts and sums in rows."""


class ComputeArray(Part):
    """ANDs a row of weights with a row of inputs, counts the ones of each segment, accumulates.

    Cycle 0, AND: ``count[j] = ones(row_0 & row_1 in segment j) if active[j] else 0``
    Cycle 1: ``chain[j] = count[j] + (chain[j - 1] if joins[j - 1] else 0)`` and, where
    ``accumulate[j]``, ``acc[j] = (0 if first else 2 * acc[j] if double else acc[j]) +- chain[j]``,
    minus with ``subtract``. With ``accumulate: in_array`` there is no addition in cycle 1: counts
    are written to rows, and ``acc`` takes what is read from the rows of the sums.

    Ports
        write_en              in   1         store ``write_data`` in ``write_row``
        write_row             in   row_bits  unsigned
        write_data            in   columns
        weak_en               in   1         with ``weak_sensing``: ``write_data`` says which cells
                                             of ``write_row`` have their AND sensed wrong
        and_en                in   1         AND ``row_0`` with ``row_1``
        write_and, read_and   in   1         with ``write_back``: store what the AND sensed in
                                             ``write_row``; read ``row_0`` and count it, in place of
                                             the AND
        row_0, row_1, row_2   in   row_bits  unsigned
        active                in   segments  segments whose count is not zero, in the cycle of the
                                             AND
        first                 in   1         of an accumulation
        double                in   1         the sum so far counts twice
        subtract              in   1         the counts are negative
        joins, accumulate     in   segments  constant while an AND is under way
        capture               in   1         with ``overlap``, in the cycle of a ``first`` AND or of
                                             none: the sums before move to registers
        xor_en                in   1         with ``adder``, as ``row_2`` and the writes of both:
                                             take sum and carry of three rows into the latches
        write_sum             in   1         store the latched sum in ``write_row``
        write_carry           in   1         store the latched carry in ``write_row``
        write_count           in   1         with ``accumulate: in_array``: store bit ``count_bit``
                                             of the joined counts in ``write_row``, in the first
                                             column of each segment that accumulates, inverted with
                                             ``subtract``
        count_bit             in             below ``count_rows``; the highest one is the sign
        read_sum              in   1         read ``row_0``, the next lower bit of the sums; with
                                             ``first_sum`` their highest one, the sign
        segment               in   seg_bits  below ``segments``
        sum                   out  acc_bits  signed: accumulator of ``segment``, with ``overlap``
                                             its register
    Latency  ``SENSE_CYCLES`` + ``ACCUMULATE_CYCLES`` from an AND to ``sum``; 0 from ``segment``
    Rate     one AND, XOR or write in each cycle: ``and_en``, ``xor_en`` and the three writes
             exclude each other
    Errors   none: a compiler checks that no sum exceeds ``accumulator_bits``
    Golden   ``verif.reference.mram.bit_convolution``, ``verif.reference.mram.adder``
    Source   seed 001, III-C and Eq. 5; joined segments instead of one counter for a row
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._sub_array = SubArray(arch=arch, slices=1)
        self._bit_counter = BitCounter(arch=arch)
        self._weak = WeakCells(arch=arch)
        self.parts = [self._sub_array, self._bit_counter]
        self.parts += [self._weak] if arch.weak_sensing else []
        rows, columns, segments = arch.row_index_bits, arch.array.columns, arch.segments
        super().__init__(
            {
                "write_en": In(1),
                "write_row": In(rows),
                "write_data": In(columns),
                **({"weak_en": In(1)} if arch.weak_sensing else {}),
                "and_en": In(1),
                "row_0": In(rows),
                "row_1": In(rows),
                **({"row_2": In(rows)} if arch.adder else {}),
                **dict.fromkeys(("write_and", "read_and") if arch.write_back else (), In(1)),
                "active": In(segments),
                "first": In(1),
                "double": In(1),
                "subtract": In(1),
                "joins": In(segments),
                "accumulate": In(segments),
                **({"capture": In(1)} if arch.overlap else {}),
                **dict.fromkeys(ADDING if arch.adder else (), In(1)),
                **(
                    {**dict.fromkeys(COUNTING, In(1)), "count_bit": In(range(arch.count_rows))}
                    if arch.in_array
                    else {}
                ),
                "segment": In(segment_bits(arch)),
                "sum": Out(signed(arch.accumulator_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Cycle 0: sense, count.
        if self._arch.in_array:
            self._count_row = Signal(self._arch.array.columns, name="count_row")
        sensed = self._sense(m)
        counts = self._count(m, sensed)
        accumulate = self._accumulate_in_rows if self._arch.in_array else self._accumulate
        accumulators = accumulate(m, counts, sensed)
        # Accumulators on the output tree.
        shown = accumulators
        if self._arch.overlap:
            shown, captures = Signal.like(accumulators, name="sums"), Signal()
            self.guarded(shown)
            m.d.sync += captures.eq(self.capture)
            with m.If(captures):
                m.d.sync += shown.eq(accumulators)
        m.d.comb += self.sum.eq(choose_below(list(shown), self.segment))
        within(m, "segment", self.segment, self._arch.segments)
        # With `overlap` input rows of the next load are written beside the ANDs.
        names = ("and_en", *(ADDING if self._arch.adder else ()))
        names += ("write_and", "read_and") if self._arch.write_back else ()
        names += ("write_count", "read_sum") if self._arch.in_array else ()
        names += () if self._arch.overlap or self._arch.write_back else ("write_en",)
        one_hot(m, "accesses of the sub-array", [getattr(self, name) for name in names])
        return m

    def _accumulators(self) -> "data.View[data.ArrayLayout]":
        """Return the registers that the output tree reads."""
        layout = data.ArrayLayout(signed(self._arch.accumulator_bits), self._arch.segments)
        return Signal(layout, name="accumulators", reset_less=True)

    def _accumulate(self, m: Module, counts: Sequence[Value], sensed: Value) -> Any:
        """Add joined counts to the accumulators; return these."""
        in_sums = Signal()
        first, double, subtract = (
            Signal(name=f"{name}_kept") for name in ("first", "double", "subtract")
        )
        counts_now = self.read_and if self._arch.write_back else self.and_en
        m.d.sync += in_sums.eq(counts_now)
        with m.If(counts_now):
            m.d.sync += [
                first.eq(self.first),
                double.eq(self.double),
                subtract.eq(self.subtract),
            ]
        # Cycle 1: join, accumulate.
        accumulators = self._accumulators()
        for j, joined in enumerate(self._join(m, counts)):
            old = Mux(first, 0, Mux(double, accumulators[j] << 1, accumulators[j]))
            with m.If(in_sums & self.accumulate[j]):
                m.d.sync += accumulators[j].eq(Mux(subtract, old - joined, old + joined))
        return accumulators

    def _accumulate_in_rows(self, m: Module, counts: Sequence[Value], sensed: Value) -> Any:
        """Drive the row of a bit of the joined counts; return the registers that read the sums."""
        accumulators, bits = self._accumulators(), self._arch.accumulator_bits
        for j, joined in enumerate(self._join(m, counts)):
            column = j * self._arch.segment_columns
            above = [Const(0)] * (self._arch.count_rows - len(joined))
            bit = choose_below([*joined, *above], self.count_bit) ^ self.subtract
            m.d.comb += self._count_row[column].eq(bit & self.accumulate[j])
            read = sensed[column]
            lower = Cat(read, Value.cast(accumulators[j])[: bits - 1])
            with m.If(self.read_sum & self.accumulate[j]):
                m.d.sync += accumulators[j].eq(Mux(self.first_sum, read.replicate(bits), lower))
        return accumulators

    def _join(self, m: Module, counts: Sequence[Value]) -> list[Value]:
        """Return for each segment its count with those of the segments that join it from below.

        The upper half is joined by itself, and then to the last one of the lower half.
        """
        half = (len(counts) + 1) // 2
        found: list[Value] = []
        for begin, end in ((0, half), (half, len(counts))):
            chain, open_below, below = Const(0), Const(1), found[-1:]
            for j in range(begin, end):
                joined = Signal(range(self._arch.segment_columns * (j + 1) + 1), name=f"joined_{j}")
                joins = self.joins[j - 1] if j else Const(0)
                if j > begin:
                    chain = Mux(joins, chain, 0)
                local = Signal.like(joined, name=f"local_{j}")
                open_below = open_below & joins
                m.d.comb += local.eq(counts[j] + chain)
                m.d.comb += joined.eq(local + Mux(open_below, below[0], 0) if below else local)
                chain = local
                found.append(joined)
        return found

    def _sense(self, m: Module) -> Signal:
        """Place the sub-array and the latches of what it writes back; return sensed columns."""
        m.submodules.sub_array = array = self._sub_array.instance()
        sense = self._sensed_wrong(m, array.sense) if self._arch.weak_sensing else array.sense
        if self._arch.write_back or not self._arch.adder:
            self._sense_with_options(m, array, sense)
        else:
            self._sense_and_add(m, array)
        sensed = Signal(self._arch.array.columns)
        m.d.comb += sensed.eq(sense)
        return sensed

    def _sensed_wrong(self, m: Module, sense: Value) -> Value:
        """Return what is sensed, with ANDs of weak cells turned over."""
        m.submodules.weak = weak = self._weak.instance()
        m.d.comb += [
            weak.clk.eq(ClockSignal()),
            weak.write_en.eq(self.weak_en),
            weak.write_row.eq(self.write_row),
            weak.write_data.eq(self.write_data),
            weak.row.eq(self.row_0),
        ]
        return sense ^ Mux(self.and_en, weak.data, 0)

    def _sense_and_add(self, m: Module, array: PartInstance) -> None:
        """Connect the sub-array and the latches of the in-memory adder."""
        latched_sum = Signal(self._arch.array.columns, reset_less=True)
        latched_carry = Signal.like(latched_sum)
        with m.If(self.xor_en):
            m.d.sync += [latched_sum.eq(array.sense), latched_carry.eq(array.carry)]
        m.d.comb += [
            array.clk.eq(ClockSignal()),
            array.write_en.eq(self.write_en | self.write_sum | self.write_carry),
            array.write_row.eq(self.write_row),
            array.write_data.eq(
                Mux(
                    self.write_sum,
                    latched_sum,
                    Mux(self.write_carry, latched_carry, self.write_data),
                )
            ),
            array.row_0.eq(self.row_0),
            array.row_1.eq(self.row_1),
            array.row_2.eq(self.row_2),
            array.active_rows.eq(Mux(self.xor_en, 3, Mux(self.and_en, 2, 0))),
            array.and2.eq(self.and_en),
            array.or3.eq(self.xor_en),
            array.maj.eq(self.xor_en),
            array.and3.eq(self.xor_en),
        ]

    def _sense_with_options(self, m: Module, array: PartInstance, sense: Value) -> None:
        """Connect the sub-array where ANDs are written back, or nothing is added.

        sense: what it senses, or what is wrongly sensed
        """
        backs, adds = self._arch.write_back, self._arch.adder
        xor_en, write_sum, write_carry = (getattr(self, n) if adds else Const(0) for n in ADDING)
        write_and, read_and = (self.write_and, self.read_and) if backs else (Const(0), Const(0))
        writes = write_and
        if self._arch.in_array:
            writes, read_and = write_and | self.write_count, read_and | self.read_sum
        latched_sum, latched_carry = (
            Signal(self._arch.array.columns, name=f"latched_{name}", reset_less=True)
            for name in ("sum", "carry")
        )
        with m.If(xor_en | (self.and_en if backs else 0)):
            m.d.sync += latched_sum.eq(sense)
        if adds:
            with m.If(xor_en):
                m.d.sync += latched_carry.eq(array.carry)
        m.d.comb += [
            array.clk.eq(ClockSignal()),
            array.write_en.eq(self.write_en | write_sum | write_carry | writes),
            array.write_row.eq(self.write_row),
            array.write_data.eq(self.write_data),
            array.row_0.eq(self.row_0),
            array.row_1.eq(self.row_1),
            array.row_2.eq(self.row_2 if adds else 0),
            array.active_rows.eq(Mux(xor_en, 3, Mux(self.and_en, 2, read_and))),
            array.and2.eq(self.and_en),
            array.read.eq(read_and),
            *(getattr(array, name).eq(xor_en) for name in ("or3", "maj", "and3")),
        ]
        with m.If(write_sum | write_and):
            m.d.comb += array.write_data.eq(latched_sum)
        if adds:
            with m.Elif(write_carry):
                m.d.comb += array.write_data.eq(latched_carry)
        if self._arch.in_array:
            with m.Elif(self.write_count):
                m.d.comb += array.write_data.eq(self._count_row)

    def _count(self, m: Module, sensed: Signal) -> list[Value]:
        """Place a bit counter for each segment; return the registered counts."""
        width = self._arch.segment_columns
        counts: list[Value] = []
        for j in range(self._arch.segments):
            m.submodules[f"bit_counter_{j}"] = counter = self._bit_counter.instance()
            count = Signal(self._arch.count_bits, name=f"count_{j}", reset_less=True)
            m.d.comb += counter.bits.eq(sensed[j * width : (j + 1) * width])
            with m.If(self.read_and if self._arch.write_back else self.and_en):
                m.d.sync += count.eq(Mux(self.active[j], counter.count, 0))
            counts.append(count)
        return counts
