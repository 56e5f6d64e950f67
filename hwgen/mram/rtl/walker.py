"""Walker: reads the taps of kernels of any size, one pixel after the other.

Tests: `tests/verif/mram/test_array_side.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds, must
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import SIZE_BITS, record_fields
from hwgen.mram.rtl import layouts
from hwgen.mram.rtl.pool import PIXEL_BITS, PLACE_BITS


def place_bits(arch: Arch) -> int:
    """Width of the number of a place of a kernel, and of the one behind the last."""
    return bits_for_index(arch.most_places + 1)


class Walker(Part):
    """Gives the pixel of each tap of each output position, in raster order of both.

    A tap that takes several rows of the bank comes in as many parts, the first channels first, from
    ``first_row`` of its pixel on; ``channels`` counts from there, too. Of two row sets a position's
    taps come twice, once for each. Elements beside the map are `outside`, those from ``channels``
    on are 0.

    Ports
        record     in   record      of a convolution with ``walk``, with ``go``
        go         in   1           in the cycle before
        read_data  in   columns     content of ``read_row``
        take       in   1           ``pixel`` is taken; only with ``valid``
        read_en    out  1           0 for a tap beside the map
        read_row   out  row_bits    of the input map's bank
        valid      out  1           ``pixel`` is that of a tap, or a part of it
        pixel      out  columns     all its channels, from bit 0 on
        place      out  place_bits  of its first block: tap * ``tap_places`` + part * row_blocks
        ends       out  1           it is the last one of a row set
        last       out  1           it is of the last position of the map
    Latency  0 from ``read_row`` to ``read_data``; it is in ``pixel`` after the clock edge
    Rate     one row in each cycle, also in that of ``take``
    Errors   none
    Golden   ``verif.reference.mram.walks``
    Source   project: kernels that are no window of 3 x 3
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._widths = {field.name: field.bits for field in record_fields(arch)}
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "go": In(1),
                "read_data": In(arch.array.columns),
                "take": In(1),
                "read_en": Out(1),
                "read_row": Out(arch.bank_row_bits),
                "valid": Out(1),
                "pixel": Out(arch.array.columns),
                "place": Out(place_bits(arch)),
                "ends": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The record's memory is far from what depends on it.
        self._kept = record = Signal.like(self.record, name="kept")
        with m.If(self.go):
            m.d.sync += record.eq(self.record)
        self.guarded(record, self.pixel)
        busy, works, inside = Signal(), Signal(), Signal()
        tap_ends, map_ends, over = Signal(), Signal(), Signal()
        m.d.comb += works.eq(busy & (~self.valid | self.take))
        self._walk(m, works, tap_ends=tap_ends, map_ends=map_ends, over=over)
        line, column = self._line, self._column
        block = Signal(PIXEL_BITS + self._widths["in_blocks_log"])
        m.d.comb += [
            inside.eq((line >= 0) & (line < record.in_height)),
            block.eq(self._number << record.in_blocks_log),
            self.read_row.eq((block >> self._row_blocks_log) + record.first_row + self._part),
        ]
        here = inside & (column >= 0) & (column < record.in_width)
        m.d.comb += self.read_en.eq(works & here)
        with m.If(self.go):
            m.d.sync += [busy.eq(1), self.valid.eq(0)]
        with m.Elif(works):
            m.d.sync += [
                busy.eq(~over),
                self.valid.eq(1),
                self.pixel.eq(self._pixel(block, inside=here)),
                self.place.eq(self._place),
                self.ends.eq(tap_ends),
                self.last.eq(map_ends),
            ]
        with m.Elif(self.take):
            m.d.sync += self.valid.eq(0)
        must(m, self.valid, "the walker must give no pixel while it has none", when=self.take)
        valid, ready, unless = self.valid, self.take, self.go
        holds(m, "pixel", valid=valid, ready=ready, payload=self.pixel, unless=unless)
        return m

    @property
    def _row_blocks_log(self) -> int:
        """Return log2 of the blocks of a row."""
        return self._arch.row_blocks.bit_length() - 1

    def _walk(
        self, m: Module, works: Value, *, tap_ends: Signal, map_ends: Signal, over: Signal
    ) -> None:
        """Step through taps, row sets and positions: `tap_ends`, `map_ends` and `over` of a tap.

        Each register of a place begins anew where the counter inside it ends.
        """
        record, part_ends = self._kept, self._walk_parts(m, works, tap_ends=tap_ends)
        x, y = (Signal(SIZE_BITS, name=name) for name in ("x", "y"))
        kx, ky = Signal.like(record.kernel_width), Signal.like(record.kernel_height)
        row_set = Signal()
        top, left = (Signal(signed(PLACE_BITS), name=name) for name in ("top", "left"))
        # Pixels of the lines above: of the tap, and of the position's first tap.
        base, window = (Signal(signed(PIXEL_BITS), name=name) for name in ("base", "window"))
        self._line, self._column = Signal(signed(PLACE_BITS)), Signal(signed(PLACE_BITS))
        self._number = Signal(signed(PIXEL_BITS))
        kx_ends, x_ends = kx == record.kernel_width - 1, x == record.out_width - 1
        position_ends = tap_ends & (row_set == record.two_rows)
        m.d.comb += [
            self._line.eq(top + ky),
            self._column.eq(left + kx),
            self._number.eq(base + self._column),
            tap_ends.eq(part_ends & kx_ends & (ky == record.kernel_height - 1)),
            map_ends.eq(x_ends & (y == record.out_height - 1)),
            over.eq(position_ends & map_ends),
        ]
        given = self.record
        first_base = -(given.pad_top * given.in_width)
        with m.If(self.go):
            m.d.sync += [each.eq(0) for each in (x, y, kx, ky, row_set)]
            m.d.sync += [top.eq(-given.pad_top), left.eq(-given.pad_left)]
            m.d.sync += [base.eq(first_base), window.eq(first_base)]
        with m.Elif(works):
            m.d.sync += kx.eq(kx + part_ends)
            with m.If(part_ends & kx_ends):
                m.d.sync += [kx.eq(0), ky.eq(ky + 1), base.eq(base + record.in_width)]
            with m.If(tap_ends):
                m.d.sync += [ky.eq(0), base.eq(window), row_set.eq(record.two_rows & ~row_set)]
            with m.If(position_ends):
                m.d.sync += [x.eq(x + 1), left.eq(left + record.stride_x)]
            with m.If(position_ends & x_ends):
                next_base = window + record.stride_y * record.in_width
                m.d.sync += [x.eq(0), y.eq(y + 1), left.eq(-record.pad_left)]
                m.d.sync += [top.eq(top + record.stride_y)]
                m.d.sync += [window.eq(next_base), base.eq(next_base)]

    def _walk_parts(self, m: Module, works: Value, *, tap_ends: Value) -> Signal:
        """Step through the rows of a tap: part, its first place, the channels from there on.

        Returns whether a part is the last of its tap.
        """
        record, row_blocks = self._kept, self._arch.row_blocks
        self._part, part_ends = Signal.like(record.tap_rows, name="part"), Signal()
        self._place = Signal.like(self.place, name="next_place")
        self._left = Signal.like(record.channels, name="left")
        first = Signal.like(self.place, name="tap_place")
        m.d.comb += part_ends.eq(self._part + 1 == record.tap_rows)
        after = first + record.tap_places
        with m.If(self.go):
            m.d.sync += [each.eq(0) for each in (self._part, self._place, first)]
            m.d.sync += self._left.eq(self.record.channels)
        with m.Elif(works & part_ends):
            next_tap = Mux(tap_ends, 0, after)
            m.d.sync += [self._part.eq(0), self._place.eq(next_tap), first.eq(next_tap)]
            m.d.sync += self._left.eq(record.channels)
        with m.Elif(works):
            m.d.sync += [
                self._part.eq(self._part + 1),
                self._place.eq(self._place + row_blocks),
                self._left.eq(self._left - row_blocks * self._arch.block),
            ]
        return part_ends

    def _pixel(self, block: Value, *, inside: Value) -> Value:
        """Return all elements of the tap: those of the row from a block on, or `outside`."""
        arch, record = self._arch, self._kept
        block_bits = arch.block * arch.element_bits
        first = block[: self._row_blocks_log].shift_left(block_bits.bit_length() - 1)
        row = self.read_data >> first if arch.row_blocks > 1 else self.read_data
        outside = record.outside[: arch.element_bits]
        elements = []
        for number in range(arch.row_blocks * arch.block):
            there = Mux(inside, row.word_select(number, arch.element_bits), outside)
            exists = number < self._left
            elements.append(there & exists.replicate(arch.element_bits))
        return Cat(*elements)
