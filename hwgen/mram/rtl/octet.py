"""An octet: sub-arrays that do the same at the same time, and their controller.

Tests: `tests/verif/mram/test_parts.py`.
"""

from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import segment_bits
from hwgen.mram.facts.timing import WRITE_BACK_CYCLES
from hwgen.mram.rtl import layouts
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
    Golden   ``golden.mram.bit_convolution``, ``golden.mram.adder``
    Source   seed 001, III-A: sub-arrays of a bank with one controller
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._control = OctetControl(arch=arch)
        self._adder = Adder(arch=arch)
        self._array = ComputeArray(arch=arch)
        self.parts = [self._control, *([self._adder] if arch.adder else []), self._array]
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
        if self._arch.adder:
            m.submodules.adder = adder = self._adder.instance()
        m.d.comb += [
            control.record.eq(self.record),
            control.go.eq(self.go),
            *([adder.record.eq(self.record)] if self._arch.adder else []),
            *([adder.add_go.eq(self.add_go)] if self._arch.adder else []),
            self.free.eq(control.free),
            self.adding.eq(adder.adding),
        ]
        if self._arch.overlap:
            m.d.comb += [control.half.eq(self.half), control.flush.eq(self.flush)]
        enabled = self._enabled(m)
        write_row, refused = self._choose_row(m, control, adder)
        self._place_arrays(m, control, adder, enabled=enabled, row=write_row, refused=refused)
        self._show_events(m, control, adder, enabled=enabled, row=write_row, refused=refused)
        return m

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
        with m.Elif(~adder.write_zeros):
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
        active = Signal(self._arch.segments)
        m.d.comb += active.eq(Mux(control.row_set, *(self._active(r) for r in (1, 0))))
        for i, on in enumerate(enabled):
            m.submodules[f"array_{i}"] = array = self._array.instance()
            asked = self.weight_valid[i] | ((self.input_valid | adder.write_zeros) & on)
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
                array.joins.eq(self.record.join),
                array.accumulate.eq(self.record.accumulate),
                *self._addition(array, adder, on, refused),
                array.segment.eq(self.segment),
                self.sums[i].eq(array.sum),
            ]
            if self._arch.write_back:
                m.d.comb += [array.write_and.eq(writes & on), array.read_and.eq(reads & on)]
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
        into_weights = row < self._arch.weight_rows
        m.d.comb += [
            works.eq(sum_of(list(enabled))),
            asked.eq(Mux(writes_back, works, sum_of(list(self.weight_valid)))),
            self.trace.row_set.eq(control.row_set),
            self.trace.double.eq(senses & control.double),
            self.trace.ands.eq(Mux(senses, works, 0)),
            self.trace.input_writes.eq(Mux(self.input_valid, works, 0)),
            self.trace.weight_writes.eq(Mux(into_weights & ~refused, asked, 0)),
            self.trace.refused.eq(Mux(refused, asked, 0)),
            self.trace.xors.eq(Mux(adder.xor_en, works, 0)),
            self.trace.write_backs.eq(Mux(written, works, 0)),
        ]
