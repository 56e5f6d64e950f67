"""One PIM macro: takes groups of inputs, gives the sums of the filters."""

from typing import Any

from amaranth.hdl import ClockSignal, Module, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds_payload, in_range, neither_over_nor_under, within
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import Opcode, field_bits
from hwgen.dbpim.facts.timing import RESULT_SLOTS
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.dots import Dots
from hwgen.dbpim.rtl.ipu import Ipu
from hwgen.dbpim.rtl.plane_counter import PlaneCounter
from hwgen.dbpim.rtl.ppu import Ppu
from hwgen.network.sparsity import PHI_LIMIT


class Macro(Part):
    """Multiplies the group at the head of its queue with a row of weights, a bit plane a cycle.

    ``result.sums[f]`` = sum over the groups of a position vector, and over the tiles from `first`
    to `last`, of ``sum(byte[c] * weight[row][c][f] for c in compartments)``

    Pipeline
        cycle 0  issue: the IPU selects a bit plane of the group at the head of the queue
        cycle 1  array: one row of cells, DBMUs and adder trees work on the registered bit plane;
                 a filter's cells are added before the register. With `array_cycles` of 2 the
                 trees work a cycle later on registered terms, and what follows is a cycle later.
                 Synchronous cells get the row in cycle 0
        cycle 2  PPU: shift, accumulate, read or write the partial sums
        cycle 3  result: the oldest finished result is offered to the output stage

    Ports
        head_valid          in      1           the queue holds a group, until ``leave``
        head                in      queue_head  the group, its tag and the macro's position
        head_row_loaded     in      1           the group's row has been written
        head_filter_enable  in      16          cell columns that count, from the tile's header
        head_double         in      1           the cells of a filter are of two [with pair
                                                tiles]
        inhibit             in      1           issue nothing: the next cycle writes the array, of
                                                synchronous cells this one
        leave               out     1           the head's last bit plane issues: pop the queue head
        issue               out     1           a bit plane issues in this cycle
        result              stream  result      of a vector, if its sums or its chunk are complete
        write_en            in      1           store a row at this clock edge
        write_row           in      row_bits    unsigned
        write_cells         in      row_cells   cell bits, for each compartment
        write_meta          in      row_meta    signs, indices and constants for the enabled cell
                                                columns [absent without ``sparse_parts``]
                                                [without ``weight_bits``: ignored]
    Latency  ``Arch.macro_cycles`` from the last bit plane of a result to ``result.valid``
    Rate     one bit plane in each cycle; max(1, non-zero bit planes) cycles a group, always
             8 without ``input_bits``; stalls while RESULT_SLOTS results have not been taken
    Errors   none: ``Arch`` has checked the sizes; ``write_en`` must follow ``inhibit``, with
             synchronous cells it must come with it
    Golden   ``verif.reference.dbpim.macro``
    Source   seed 002, V-C; docs/dbpim-microarchitecture.md, "Cell array and macro"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._ipu: Part = Ipu(arch=arch) if arch.sparse_parts else PlaneCounter(arch=arch)
        self._dots = Dots(arch=arch)
        self._ppu = Ppu(arch=arch)
        self.parts = [self._ipu, self._dots, self._ppu]
        super().__init__(
            {
                "head_valid": In(1),
                "head": In(layouts.queue_head(arch)),
                "head_row_loaded": In(1),
                "head_filter_enable": In(field_bits(Opcode.TILE, "filter_enable", arch.widths)),
                **({"head_double": In(1)} if arch.pairs else {}),
                "inhibit": In(1),
                "leave": Out(1),
                "issue": Out(1),
                "result": Out(stream.Signature(layouts.result(arch))),
                "write_en": In(1),
                "write_row": In(bits_for_index(arch.macro.rows)),
                "write_cells": In(layouts.row_cells(arch)),
                **({"write_meta": In(layouts.row_meta(arch))} if arch.sparse_parts else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Cycle 0: issue.
        step = Signal(step_layout(self._arch))
        bit_plane = Signal(self._arch.macro.compartments)
        self._issue(m, step=step, bit_plane=bit_plane)

        # Cycle 1: array and adder trees.
        x, row = Signal.like(bit_plane), Signal.like(self.write_row)
        in_array, in_array_valid = Signal.like(step), Signal()
        self.guarded(x, row, in_array)
        m.d.sync += in_array_valid.eq(self.issue)
        with m.If(self.issue):
            m.d.sync += [x.eq(bit_plane), *of_plane(in_array, step)]
        with m.If(self.issue & step.opens):
            if not self._arch.reads_at_edge:
                m.d.sync += row.eq(self.head.tag.row)
            m.d.sync += of_group(in_array, step)
        if self._arch.reads_at_edge:
            # A cycle early: the row is that of the head.
            m.d.comb += row.eq(self.head.tag.row)
        found = self._computed(m, x=x, row=row, step=in_array, valid=in_array_valid)
        if self._arch.array_cycles > 1:
            in_array, in_array_valid = behind(m, in_array, in_array_valid, name="in_trees")
            self.guarded(in_array)

        # Cycle 2: PPU.
        dots_in_ppu = Signal(layouts.dots(self._arch))
        in_ppu, in_ppu_valid = Signal(result_step(self._arch)), Signal()
        self.guarded(dots_in_ppu, in_ppu)
        m.d.sync += in_ppu_valid.eq(in_array_valid)
        with m.If(in_array_valid):
            m.d.sync += [dots_in_ppu.eq(found), *of_plane(in_ppu, in_array)]
        with m.If(in_array_valid & in_array.opens):
            m.d.sync += of_group(in_ppu, in_array)
        ppu_sums = self._sums(m, valid=in_ppu_valid, step=in_ppu, found=dots_in_ppu)

        # Cycle 3: result.
        self._queue(m, valid=in_ppu_valid & ends_result(in_ppu), step=in_ppu, ppu_sums=ppu_sums)
        return m

    def _issue(self, m: Module, *, step: data.View, bit_plane: Signal) -> None:
        """Decide whether a bit plane issues; drive the candidate: `step` and `bit_plane`."""
        m.submodules.ipu = ipu = self._ipu.instance()
        issued = Signal.like(ipu.issued, name="issued")
        outstanding = Signal(range(RESULT_SLOTS + 1))
        full = ends_result(step) & (outstanding == RESULT_SLOTS)
        m.d.comb += [
            ipu.bytes.eq(self.head.bytes),
            ipu.issued.eq(issued),
            bit_plane.eq(ipu.bit_plane),
            step.filter_enable.eq(self.head_filter_enable),
            *([step.double.eq(self.head_double)] if self._arch.pairs else []),
            step.bit_index.eq(ipu.bit_index),
            step.opens.eq(issued == 0),
            step.begins.eq(self.head.tag.start & step.opens),
            step.ends.eq(self.head.tag.end & ipu.last),
            step.tag.eq(self.head.tag),
            step.position.eq(self.head.position),
            self.issue.eq(self.head_valid & self.head_row_loaded & ~self.inhibit & ~full),
            self.leave.eq(self.issue & ipu.last),
        ]
        with m.If(self.issue):
            m.d.sync += issued.eq(ipu.next)
        begun, taken = self.issue & ends_result(step), self.result.valid & self.result.ready
        m.d.sync += outstanding.eq(outstanding + begun - taken)
        in_range(m, "outstanding", outstanding, RESULT_SLOTS)
        within(m, "write_row", self.write_row, self._arch.macro.rows, when=self.write_en)

    def _computed(
        self, m: Module, *, x: Signal, row: Signal, step: data.View, valid: Signal
    ) -> data.View:
        """Place the array; return the sum of each filter.

        step: of the bit plane
        valid: there is one; an array of two cycles registers its terms then
        """
        m.submodules.dots = array = self._dots.instance()
        m.d.comb += [
            array.clk.eq(ClockSignal()),
            array.x.eq(x),
            array.row.eq(row),
            array.enable.eq(step.filter_enable),
            *([array.pair.eq(step.double)] if self._arch.pairs else []),
            array.write_en.eq(self.write_en),
            array.write_row.eq(self.write_row),
            array.write_cells.eq(self.write_cells),
        ]
        if self._arch.array_cycles > 1:
            m.d.comb += array.valid.eq(valid)
        if self._arch.reads_at_edge:
            m.d.comb += array.read_en.eq(self.issue)
        if self._arch.sparsity.weight_bits:
            m.d.comb += array.write_meta.eq(self.write_meta)
        return array.sums

    def _sums(self, m: Module, *, valid: Signal, step: data.View, found: data.View) -> data.View:
        """Place the PPU; return its sums."""
        m.submodules.ppu = ppu = self._ppu.instance()
        m.d.comb += [
            ppu.valid.eq(valid),
            ppu.dots.eq(found),
            ppu.bit_index.eq(step.bit_index),
            ppu.begins.eq(step.begins),
            ppu.ends.eq(step.ends),
            ppu.first_tile.eq(step.tag.first),
            ppu.last_tile.eq(step.tag.last),
            ppu.vector.eq(step.tag.vector),
            *([ppu.pair.eq(step.double)] if self._arch.pairs else []),
        ]
        return ppu.sums

    def _queue(self, m: Module, *, valid: Value, step: data.View, ppu_sums: data.View) -> None:
        """Queue finished results; the oldest is in slot 0, which drives `result`.

        It never overflows: a result without a free slot is not issued.
        """
        slots = [Signal(layouts.result(self._arch), name=f"slot_{n}") for n in range(RESULT_SLOTS)]
        self.guarded(*slots)
        count = Signal(range(RESULT_SLOTS + 1))
        taken = self.result.valid & self.result.ready
        entry = Signal(layouts.result(self._arch))
        m.d.comb += [
            entry.sums.eq(ppu_sums),
            entry.tile.eq(step.tag.tile),
            entry.row.eq(step.position.row),
            entry.column.eq(step.position.column),
            entry.emit.eq(step.tag.last & step.position.active),
            entry.tile_end.eq(step.tag.tile_end),
            self.result.valid.eq(count != 0),
            self.result.payload.eq(slots[0]),
        ]
        m.d.sync += count.eq(count + valid - taken)
        neither_over_nor_under(
            m, "the queue of results", level=count, depth=RESULT_SLOTS, into=valid, out_of=taken
        )
        in_range(m, "count", count, RESULT_SLOTS)
        holds_payload(m, "result", self.result)
        for index, slot in enumerate(slots):
            with m.If(valid & (count - taken == index)):
                m.d.sync += slot.eq(entry)
            if index + 1 < RESULT_SLOTS:
                with m.Elif(taken):
                    m.d.sync += slot.eq(slots[index + 1])


def step_layout(arch: Arch) -> data.StructLayout:
    """Return what accompanies a bit plane through the pipeline.

    filter_enable: cell columns that count; double: of two filter groups, only with pair tiles
    bit_index: weight of the bit plane
    opens: first bit plane of a group; tag, position, filter_enable, double stay for all of them
    begins, ends: first and last bit plane of the position vector in this tile
    """
    return data.StructLayout(
        {
            "filter_enable": PHI_LIMIT * arch.filters,
            **({"double": 1} if arch.pairs else {}),
            "bit_index": bits_for_index(ACTIVATION_BITS),
            "opens": 1,
            "begins": 1,
            "ends": 1,
            "tag": layouts.group_tag(arch),
            "position": layouts.position(),
        }
    )


def result_step(arch: Arch) -> data.StructLayout:
    """Return what of a step the PPU and the queue of results still need."""
    whole, tag = step_layout(arch), layouts.group_tag(arch)
    needed = ("tile", "first", "last", "tile_end", "vector")
    left_out = ("filter_enable", "opens", "tag")
    return data.StructLayout(
        {
            **{name: field.shape for name, field in whole if name not in left_out},
            "tag": data.StructLayout({name: tag[name].shape for name in needed}),
        }
    )


def behind(m: Module, step: data.View, valid: Signal, *, name: str) -> tuple[Any, Signal]:
    """Return a step and whether there is one, a cycle later."""
    later, later_valid = Signal(step.shape(), name=name), Signal(name=f"{name}_valid")
    m.d.sync += later_valid.eq(valid)
    with m.If(valid):
        m.d.sync += of_plane(later, step)
    with m.If(valid & step.opens):
        m.d.sync += of_group(later, step)
    return later, later_valid


def of_plane(stage: data.View, step: data.View) -> list[Value]:
    """Return the assignments of a stage that each bit plane makes."""
    names = ("bit_index", "opens", "begins", "ends")
    shared = [name for name in names if name in stage.shape().members]
    return [getattr(stage, name).eq(getattr(step, name)) for name in shared]


def of_group(stage: data.View, step: data.View) -> list[Value]:
    """Return the assignments of a stage that the first bit plane of a group makes."""
    names = ("filter_enable", "double", "position")
    shared = [name for name in names if name in stage.shape().members]
    return [
        *(getattr(stage, name).eq(getattr(step, name)) for name in shared),
        *(stage.tag[name].eq(step.tag[name]) for name in stage.tag.shape().members),
    ]


def ends_result(step: data.View) -> Value:
    """Return whether this bit plane is the last of a result that leaves the macro."""
    return step.ends & (step.tag.last | step.tag.tile_end)
