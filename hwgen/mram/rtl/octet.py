"""An octet: sub-arrays that do the same at the same time, and their controller.

Tests: `tests/verif/mram/test_parts.py`.
"""

from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import one_hot, within
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.accumulation import count_row, sum_row
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import segment_bits
from hwgen.mram.facts.timing import WRITE_BACK_CYCLES
from hwgen.mram.rtl import layouts
from hwgen.mram.rtl.accumulation import Accumulation
from hwgen.mram.rtl.adder import Adder
from hwgen.mram.rtl.bit_counter import sum_of
from hwgen.mram.rtl.compute_array import ComputeArray
from hwgen.mram.rtl.octet_control import OctetControl

NO_ADDER = SimpleNamespace(
    **dict.fromkeys(("row_0", "row_1", "row_2", "write_row", "xor_en"), Const(0)),
    **dict.fromkeys(("write_zeros", "write_sum", "write_carry", "adding"), Const(0)),
)
"""In place of the in-memory adder of a chip without one."""


class Octet(Part):
    """``block`` sub-arrays with one controller: convolution of a load, in-memory addition.

    Sub-array i is enabled if it has a kernel: ``block * (number mod octets of a group) + i`` is
    below ``kernels``, and the octet's group below ``groups``. Others write no inputs and compute
    nothing.

    Ports
        number        in   octet_bits          constant
        record        in   record              constant while the octet works
        input_valid   in   1                   write ``input_data`` in input row ``input_row``
        input_row     in   input_bits          below ``input_rows``
        input_data    in   segments * 9 block
        go            in   1                   input rows are complete after this cycle
        half, flush   in   1                   with ``overlap``, of ``go``: see ``OctetControl``
        weight_valid  in   block               write ``weight_data`` in row ``weight_row``
        weight_row    in   row_bits            unsigned
        weight_data   in   columns
        weight_weak   in   1                   with ``weak_sensing``: it says which cells are weak
        lock          in   1                   writes of rows below ``weight_rows`` change nothing
        add_go        in   1                   start an in-memory addition
        segment       in   seg_bits            accumulator on ``sums``
        sums          out  sums
        free          out  1                   see ``OctetControl``
        adding        out  1                   an in-memory addition is under way
        trace         out  octet_trace         events of this cycle
    Latency  0 from ``segment`` to ``sums``; complete from the second cycle after the last AND on,
             with ``overlap`` after the next load's first one
    Rate     one AND, write or step of an addition in each cycle, in all sub-arrays; with
             ``overlap`` a write of inputs beside an AND
    Errors   none: a record starts nothing while another one runs
    Golden   ``verif.reference.mram.bit_convolution``, ``verif.reference.mram.adder``
    Source   seed 001, III-A: sub-arrays of a bank with one controller
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._control = OctetControl(arch=arch)
        self._adder = Adder(arch=arch)
        self._array = ComputeArray(arch=arch)
        self._accumulation = Accumulation(arch=arch)
        self.parts = [self._control, *([self._adder] if arch.adder else []), self._array]
        self.parts += [self._accumulation] if arch.in_array else []
        super().__init__(
            {
                "number": In(bits_for_index(arch.octets)),
                "record": In(layouts.record(arch)),
                "input_valid": In(1),
                "input_row": In(bits_for_index(arch.input_rows)),
                "input_data": In(arch.input_columns),
                "go": In(1),
                **dict.fromkeys(("half", "flush") if arch.overlap else (), In(1)),
                "weight_valid": In(arch.block),
                "weight_row": In(arch.row_index_bits),
                "weight_data": In(arch.array.columns),
                **({"weight_weak": In(1)} if arch.weak_sensing else {}),
                "lock": In(1),
                "add_go": In(1),
                "segment": In(segment_bits(arch)),
                "sums": Out(layouts.sums(arch)),
                "free": Out(1),
                "adding": Out(1),
                "trace": Out(layouts.octet_trace(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.control = control = self._control.instance()
        adder: Any = NO_ADDER
        own_adder = self._arch.adder and not self._arch.in_array
        if self._arch.adder:
            m.submodules.adder = adder = self._adder.instance()
        m.d.comb += [
            control.record.eq(self.record),
            control.go.eq(self.go),
            *([adder.record.eq(self.record)] if own_adder else []),
            *([adder.add_go.eq(self.add_go)] if own_adder else []),
            self.free.eq(control.free),
            self.adding.eq(adder.adding),
        ]
        if self._arch.overlap:
            m.d.comb += [control.half.eq(self.half), control.flush.eq(self.flush)]
        if self._arch.in_array:
            adder = self._add_in_rows(m, control, adder)
        enabled = self._enabled(m)
        write_row, refused = self._choose_row(m, control, adder)
        self._place_arrays(m, control, adder, enabled=enabled, row=write_row, refused=refused)
        self._show_events(m, control, adder, enabled=enabled, row=write_row, refused=refused)
        rows, input_rows = self._arch.weight_rows, self._arch.input_rows
        within(m, "input_row", self.input_row, input_rows, when=self.input_valid)
        given = [self.input_valid, self.weight_valid.any()]
        within(m, "weight_row", self.weight_row, rows, when=given[1])
        one_hot(m, "input and weight rows", given)
        return m

    def _add_in_rows(self, m: Module, control: PartInstance, adder: PartInstance) -> Any:
        """Place the order of counts and sums; return the adder with the rows that it adds then.

        The adder adds bits of a count from n + m of the sum on; above its sign, the sign again.
        """
        arch = self._arch
        m.submodules.accumulation = order = self._accumulation.instance()
        m.d.comb += [
            order.counted.eq(control.and_en & (control.phase == WRITE_BACK_CYCLES)),
            order.first.eq(control.first),
            order.last.eq(control.last),
            order.adding.eq(adder.adding),
            control.summed.eq(order.summed),
            adder.add_go.eq(self.add_go | order.add_go),
        ]
        of_sums, row_1 = Signal(layouts.record(arch)), Signal.like(adder.row_1, name="count_row")
        m.d.comb += [of_sums.eq(self.record), adder.record.eq(of_sums), row_1.eq(adder.row_1)]
        with m.If(control.and_en):
            m.d.comb += [
                of_sums.weight_row_0.eq(sum_row(arch) + control.degree),
                of_sums.weight_row_1.eq(count_row(arch)),
                of_sums.result_row.eq(sum_row(arch) + control.degree),
                of_sums.carry_row.eq(arch.array.rows - 1),
                of_sums.input_planes.eq(arch.sum_rows - control.degree),
            ]
            bit = adder.row_0 - (sum_row(arch) + control.degree)
            with m.If(bit >= arch.count_rows - 1):
                m.d.comb += row_1.eq(arch.array.rows - 2)
        self._order = order
        names = ("row_0", "row_2", "write_row", "xor_en", "write_zeros", "write_sum")
        same = {name: getattr(adder, name) for name in (*names, "write_carry", "adding")}
        return SimpleNamespace(**same, row_1=row_1)

    def _enabled(self, m: Module) -> Signal:
        """Return which sub-arrays have a kernel of the record."""
        arch, record = self._arch, self.record
        enabled = Signal(arch.block)
        octets = (1 << record.octets_log)[: len(self.number) + 1]
        first_kernel = (self.number & (octets - 1)).shift_left(arch.block.bit_length() - 1)
        works = (self.number >> record.octets_log) < record.groups
        for i, bit in enumerate(enabled):
            m.d.comb += bit.eq(works & (first_kernel + i < record.kernels))
        return enabled

    def _choose_row(
        self, m: Module, control: PartInstance, adder: PartInstance
    ) -> tuple[Signal, Signal]:
        """Return the row that is written, and whether the lock refuses that."""
        weight_rows = self._arch.weight_rows
        row, refused = Signal.like(self.weight_row, name="write_row"), Signal(name="refused")
        with m.If(self.input_valid):
            m.d.comb += row.eq(weight_rows + self.input_row)
        if self._arch.adder:
            with m.Elif(adder.adding):
                m.d.comb += row.eq(adder.write_row)
        if self._arch.in_array:
            with m.Elif(self._order.clear):
                m.d.comb += row.eq(sum_row(self._arch) + self._order.index)
            with m.Elif(self._order.count_en):
                m.d.comb += row.eq(count_row(self._arch) + self._order.index)
        if self._arch.write_back:
            with m.Elif(control.and_en):
                m.d.comb += row.eq(self._arch.array.rows - 1)
        with m.Else():
            m.d.comb += row.eq(self.weight_row)
        m.d.comb += refused.eq(self.lock & (row < weight_rows))
        return row, refused

    def _place_arrays(
        self,
        m: Module,
        control: PartInstance,
        adder: PartInstance,
        *,
        enabled: Signal,
        row: Signal,
        refused: Signal,
    ) -> None:
        """Place the sub-arrays; all work on the same rows."""
        write_data = Signal.like(self.weight_data, name="write_data")
        with m.If(self.input_valid):
            m.d.comb += write_data.eq(self.input_data)
        zeros = adder.write_zeros
        if self._arch.in_array:
            zeros = zeros | self._order.clear
            # To subtract a count is to add its inverted bits and a carry.
            with m.Elif(adder.write_zeros & control.and_en & control.subtract):
                m.d.comb += write_data.eq(~Const(0, len(write_data)))
        with m.Elif(~zeros):
            m.d.comb += write_data.eq(self.weight_data)
        adds = adder.adding
        row_0, row_1 = Signal.like(row, name="row_0"), Signal.like(row, name="row_1")
        m.d.comb += [
            row_0.eq(Mux(adds, adder.row_0, control.row_0)),
            row_1.eq(Mux(adds, adder.row_1, control.row_1)),
        ]
        senses, writes, reads = self._phases(control)
        if self._arch.write_back:
            with m.If(reads):
                m.d.comb += row_0.eq(self._arch.array.rows - 1)
        if self._arch.in_array:
            with m.If(self._order.read_sum):
                m.d.comb += row_0.eq(count_row(self._arch) - 1 - self._order.index)
        # The record of a layer stands long before its first segment: arrays have it from registers.
        joins = Signal(self._arch.segments)
        accumulates = Signal(self._arch.segments)
        m.d.sync += [joins.eq(self.record.join), accumulates.eq(self.record.accumulate)]
        active = Signal(self._arch.segments)
        m.d.comb += active.eq(Mux(control.row_set, *(self._active(r) for r in (1, 0))))
        for i, on in enumerate(enabled):
            m.submodules[f"array_{i}"] = array = self._array.instance()
            weight = self.weight_valid[i]
            if self._arch.weak_sensing:
                weight = weight & ~self.weight_weak
                weak = self.weight_valid[i] & self.weight_weak
                m.d.comb += array.weak_en.eq(weak & ~refused)
            asked = weight | ((self.input_valid | zeros) & on)
            m.d.comb += [
                array.write_en.eq(asked & ~refused),
                array.write_row.eq(row),
                array.write_data.eq(write_data),
                array.and_en.eq(senses & on),
                array.row_0.eq(row_0),
                array.row_1.eq(row_1),
                *([array.row_2.eq(adder.row_2)] if self._arch.adder else []),
                array.active.eq(active),
                array.first.eq(control.first),
                array.double.eq(control.double),
                array.subtract.eq(control.subtract),
                array.joins.eq(joins),
                array.accumulate.eq(accumulates),
                *self._addition(array, adder, on, refused),
                array.segment.eq(self.segment),
                self.sums[i].eq(array.sum),
            ]
            if self._arch.write_back:
                m.d.comb += [array.write_and.eq(writes & on), array.read_and.eq(reads & on)]
            if self._arch.in_array:
                m.d.comb += [
                    array.write_count.eq(self._order.count_en & on),
                    array.count_bit.eq(self._order.index),
                    array.read_sum.eq(self._order.read_sum & on),
                    array.first_sum.eq(self._order.index == 0),
                ]
            if self._arch.overlap:
                m.d.comb += array.capture.eq(control.capture & on)

    def _addition(
        self, array: PartInstance, adder: PartInstance, on: Value, refused: Value
    ) -> list[Any]:
        """Return the commands of the in-memory adder for a sub-array."""
        if not self._arch.adder:
            return []
        return [
            array.xor_en.eq(adder.xor_en & on),
            array.write_sum.eq(adder.write_sum & on & ~refused),
            array.write_carry.eq(adder.write_carry & on & ~refused),
        ]

    def _phases(self, control: PartInstance) -> tuple[Value, Value, Value]:
        """Return whether an AND is sensed, written back, read again."""
        if not self._arch.write_back:
            return control.and_en, Const(0), Const(0)
        phase = control.phase
        sensed, written, read = (control.and_en & (phase == n) for n in range(WRITE_BACK_CYCLES))
        return sensed, written, read

    def _active(self, row_set: int) -> Value:
        """Return the active segments of a row set."""
        segments = range(self._arch.segments)
        return Cat(layouts.entry(self.record, "active", row_set, j) for j in segments)

    def _show_events(
        self,
        m: Module,
        control: PartInstance,
        adder: PartInstance,
        *,
        enabled: Signal,
        row: Signal,
        refused: Signal,
    ) -> None:
        """Drive `trace`."""
        writes_back = adder.write_zeros | adder.write_sum | adder.write_carry
        works, asked = Signal.like(self.trace.ands), Signal.like(self.trace.ands)
        senses, writes, _ = self._phases(control)
        written = writes_back & ~refused
        if self._arch.write_back:
            written = written | writes
        doubles = senses & control.double
        if self._arch.in_array:
            written = written | self._order.clear | self._order.count_en
            doubles = Const(0)
        into_weights = row < self._arch.weight_rows
        if self._arch.weak_sensing:
            into_weights = into_weights & ~(self.weight_weak & self.weight_valid.any())
        m.d.comb += [
            works.eq(sum_of(list(enabled))),
            asked.eq(Mux(writes_back, works, sum_of(list(self.weight_valid)))),
            self.trace.row_set.eq(control.row_set),
            self.trace.double.eq(doubles),
            self.trace.ands.eq(Mux(senses, works, 0)),
            self.trace.input_writes.eq(Mux(self.input_valid, works, 0)),
            self.trace.weight_writes.eq(Mux(into_weights & ~refused, asked, 0)),
            self.trace.refused.eq(Mux(refused, asked, 0)),
            self.trace.xors.eq(Mux(adder.xor_en, works, 0)),
            self.trace.write_backs.eq(Mux(written, works, 0)),
        ]
