"""Where results of the DPU go, and where the elements of the skip map stand.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import SIZE_BITS
from hwgen.mram.rtl.layouts import record

PIXEL_BITS = 2 * SIZE_BITS


class DpuPlace(Part):
    """Counts output positions in raster order, once for the skip map and once for the output.

    ``out_index = position << out_blocks_log + out_block + block``, in blocks of its bank;
    skip: the same of pixel (y * skip_stride_y, x * skip_stride_x) of the skip map

    Ports
        record       in   record
        go           in   1           begin at position 0
        skip_valid   in   1           a result needs a block of the skip map in the next cycle
        skip_block   in   block_bits
        skip_last    in   1           it is the last block of its position
        skip_row     out  row_bits    next cycle: row of the bank
        skip_place   out  place_bits  next cycle: block of the row
        skip_inside  out  block       next cycle: bit l: the skip map has the channel of lane l
        out_valid    in   1           a result is written in the next cycle; like the skip map's
        out_block    in   block_bits
        out_last     in   1
        out_row      out  row_bits
        out_place    out  place_bits
        out_index    out  index_bits  next cycle: block of the answer buffer
    Latency  1 cycle
    Rate     one result in each cycle
    Errors   none
    Golden   the order of the positions
    Source   docs/mram-microarchitecture.md, "DPU"
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._place_log = arch.row_blocks.bit_length() - 1
        block_bits = bits_for_index(arch.result_blocks)
        members = {"record": In(record(arch)), "go": In(1)}
        for name in ("skip", "out"):
            members |= {
                f"{name}_valid": In(1),
                f"{name}_block": In(block_bits),
                f"{name}_last": In(1),
                f"{name}_row": Out(arch.bank_row_bits),
                f"{name}_place": Out(bits_for_index(arch.row_blocks)),
            }
        members["skip_inside"] = Out(arch.block)
        members["out_index"] = Out(bits_for_index(arch.answer_entries // arch.block))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        record = self.record
        position = Signal(PIXEL_BITS)
        with m.If(self.go):
            m.d.sync += position.eq(0)
        with m.Elif(self.out_valid & self.out_last):
            m.d.sync += position.eq(position + 1)
        index = (position << record.out_blocks_log) + record.out_block + self.out_block
        m.d.sync += self.out_index.eq(index)
        self._store(m, index, row=self.out_row, place=self.out_place)

        pixel = self._skip_pixel(m)
        block = Signal(range(2 * (1 << len(record.out_block))))
        m.d.comb += block.eq(record.out_block + self.skip_block)
        index = (pixel << record.skip_blocks_log) + block
        self._store(m, index, row=self.skip_row, place=self.skip_place)
        lane_bits = self._arch.block.bit_length() - 1
        for lane in range(self._arch.block):
            channel = Cat(Const(lane, lane_bits), block)
            m.d.sync += self.skip_inside[lane].eq(channel < record.skip_channels)
        return m

    def _store(self, m: Module, index: Value, *, row: Value, place: Value) -> None:
        """Store row and place of a block of a bank."""
        m.d.sync += [row.eq(index >> self._place_log), place.eq(index[: self._place_log])]

    def _skip_pixel(self, m: Module) -> Value:
        """Return the pixel of the skip map that belongs to the position of this cycle."""
        record = self.record
        x, column, line = Signal(SIZE_BITS), Signal(PIXEL_BITS), Signal(PIXEL_BITS)
        with m.If(self.go):
            m.d.sync += [x.eq(0), column.eq(0), line.eq(0)]
        with m.Elif(self.skip_valid & self.skip_last):
            m.d.sync += [x.eq(x + 1), column.eq(column + record.skip_stride_x)]
            with m.If(x == record.out_width - 1):
                m.d.sync += [
                    x.eq(0),
                    column.eq(0),
                    line.eq(line + record.skip_stride_y * record.skip_width),
                ]
        return (line + column)[:PIXEL_BITS]
