"""Pool unit: sums or maxima of windows, a tap of one block of channels a cycle.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import SIZE_BITS, record_fields
from hwgen.mram.rtl.layouts import record, sums

PLACE_BITS = SIZE_BITS + 2
"""Signed place of a tap: a map and the padding around it."""
PIXEL_BITS = 2 * PLACE_BITS
"""Signed number of a pixel; only those inside the map are read."""


class Pool(Part):
    """Reads every tap of every window, and hands a total for each block to the DPU.

    For each output position in raster order, for each block k: ``total`` = sum, or maximum, over
    the window of block k of the input pixel; taps outside the map have the value `outside`.

    Pipeline
        cycle c      a row of the bank is read; c_last: of the last tap of a window
        cycle c + 1  the tap is added; with the last tap ``result_valid``
        cycle c + 2  ``sums`` of the window

    Ports
        record        in   record       of kind POOL; stable from ``go`` to the retirement
        go            in   1            begin in the next cycle
        read_data     in   columns      row of the input map, in the same cycle
        read_en       out  1            read a row; 0 for a tap outside the map
        read_row      out  row_bits
        result_valid  out  1            the sums come in the next cycle
        result_block  out  block_bits   block of them; last_block: the next are of another position
        last_block    out  1
        sums          out  sums
        busy          out  1            a tap is read or added
    Latency  ``POOL_CYCLES`` from reading the last tap to ``sums``
    Rate     one tap of one block in each cycle
    Errors   none; a total is below 2**(6 + 6 + element_bits)
    Golden   ``verif.reference.mram.pool``
    Source   docs/mram-microarchitecture.md, "Pooling"
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._widths = {field.name: field.bits for field in record_fields(arch)}
        super().__init__(
            {
                "record": In(record(arch)),
                "go": In(1),
                "read_data": In(arch.array.columns),
                "read_en": Out(1),
                "read_row": Out(arch.bank_row_bits),
                "result_valid": Out(1),
                "result_block": Out(bits_for_index(arch.result_blocks)),
                "last_block": Out(1),
                "sums": Out(sums(arch)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        reads, tap = Signal(), Signal()
        first, last = Signal(), Signal()
        block = Signal.like(self.result_block, name="block")
        last_block = Signal(name="is_last_block")
        inside, index = Signal(), Signal(PIXEL_BITS + self._widths["in_blocks_log"])
        with m.If(self.go):
            m.d.sync += reads.eq(1)
        ends = self._walk(m, reads, first=first, last=last, block=block, last_block=last_block)
        with m.If(ends):
            m.d.sync += reads.eq(0)

        # cycle c: read
        m.d.comb += [
            inside.eq(self._inside()),
            index.eq((self._pixel << self.record.in_blocks_log) + block),
            self.read_en.eq(reads & inside),
            self.read_row.eq(index >> self._row_blocks_log),
            self.busy.eq(reads | tap),
        ]
        tap_first, taken = Signal(), Signal(self._arch.block * self._arch.element_bits)
        m.d.sync += [
            tap.eq(reads),
            tap_first.eq(first),
            taken.eq(self._tap(index, inside=inside)),
            self.result_valid.eq(reads & last),
            self.result_block.eq(block),
            self.last_block.eq(last_block),
        ]
        # cycle c + 1: add
        with m.If(tap):
            self._add(m, taken, first=tap_first)
        return m

    @property
    def _row_blocks_log(self) -> int:
        """Return log2 of the blocks of a row."""
        return self._arch.row_blocks.bit_length() - 1

    def _counter(self, name: str) -> Signal:
        """Return a counter as wide as a field of the record."""
        return Signal(self._widths[name], name=f"{name}_count")

    def _walk(
        self,
        m: Module,
        reads: Signal,
        *,
        first: Signal,
        last: Signal,
        block: Signal,
        last_block: Signal,
    ) -> Value:
        """Step through taps, blocks and positions; return whether this tap is the last of all.

        Each register of a place begins anew where the counter inside it ends.
        """
        record = self.record
        x, y = self._counter("out_width"), self._counter("out_height")
        kx, ky = self._counter("kernel_width"), self._counter("kernel_height")
        self._line, self._column = Signal(signed(PLACE_BITS)), Signal(signed(PLACE_BITS))
        top, left = Signal(signed(PLACE_BITS)), Signal(signed(PLACE_BITS))
        base, window = Signal(signed(PIXEL_BITS)), Signal(signed(PIXEL_BITS))
        self._pixel = Signal(signed(PIXEL_BITS))
        kx_ends, ky_ends = kx == record.kernel_width - 1, ky == record.kernel_height - 1
        x_ends, y_ends = x == record.out_width - 1, y == record.out_height - 1
        first_line, first_base = -record.pad_top, -(record.pad_top * record.in_width)
        m.d.comb += [
            self._line.eq(top + ky),
            self._column.eq(left + kx),
            self._pixel.eq(base + self._column),
            first.eq((kx == 0) & (ky == 0)),
            last.eq(kx_ends & ky_ends),
            last_block.eq(block == record.blocks - 1),
        ]
        with m.If(self.go):
            m.d.sync += [each.eq(0) for each in (x, y, kx, ky, block)]
            m.d.sync += [top.eq(first_line), left.eq(-record.pad_left)]
            m.d.sync += [base.eq(first_base), window.eq(first_base)]
        with m.Elif(reads):
            m.d.sync += [kx.eq(kx + 1)]
            with m.If(kx_ends):
                m.d.sync += [kx.eq(0), ky.eq(ky + 1), base.eq(base + record.in_width)]
            with m.If(last):
                m.d.sync += [ky.eq(0), base.eq(window), block.eq(block + 1)]
            with m.If(last & last_block):
                m.d.sync += [block.eq(0), x.eq(x + 1), left.eq(left + record.stride_x)]
            with m.If(last & last_block & x_ends):
                next_base = window + record.stride_y * record.in_width
                m.d.sync += [x.eq(0), y.eq(y + 1), left.eq(-record.pad_left)]
                m.d.sync += [top.eq(top + record.stride_y)]
                m.d.sync += [window.eq(next_base), base.eq(next_base)]
        return reads & last & last_block & x_ends & y_ends

    def _inside(self) -> Value:
        """Return whether the tap is in the map."""
        line, column = self._line, self._column
        rows = (line >= 0) & (line < self.record.in_height)
        return rows & (column >= 0) & (column < self.record.in_width)

    def _tap(self, index: Value, *, inside: Value) -> Value:
        """Return the elements of the tap: a block of the row, or those outside the map."""
        bits = self._arch.block * self._arch.element_bits
        blocks = [self.read_data.word_select(n, bits) for n in range(self._arch.row_blocks)]
        outside = self.record.outside[: self._arch.element_bits].replicate(self._arch.block)
        return Mux(inside, choose(blocks, index), outside)

    def _add(self, m: Module, taken: Signal, *, first: Value) -> None:
        """Add a tap to the totals, or take the larger value."""
        for lane in range(self._arch.block):
            total = self.sums[lane]
            element = taken.word_select(lane, self._arch.element_bits)
            larger = Mux(element > total, element, total)
            then = Mux(self.record.maximum, larger, total + element)
            m.d.sync += total.eq(Mux(first, element, then))
