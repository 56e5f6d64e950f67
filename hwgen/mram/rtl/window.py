"""Window: three columns of three map lines, one output position after the other.

Tests: `tests/verif/mram/test_array_side.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import TAPS, WINDOW, Arch
from hwgen.mram.facts.records import SIZE_BITS
from hwgen.mram.rtl import layouts
from hwgen.mram.rtl.row_reader import line_rows


def window_pixels(arch: Arch) -> data.ArrayLayout:
    """Pixels of a window, each as wide as a row of a bank: (line 0, column 0), (0, 1), ..."""
    return data.ArrayLayout(arch.array.columns, TAPS)


class Window(Part):
    """Shifts one column of pixels in a cycle until the window stands at an output position.

    A column comes from the current rows, or is the ``outside`` value; the current rows are replaced
    by the next ones after the last column that a window reads from them. A window starts anew at
    each output line, and advances by ``stride_x`` columns within it.

    Ports
        record    in   record         of a convolution, with ``go``
        go        in   1              in the cycle before
        next      in   line_rows      from the row reader
        full      in   1              all of ``next`` is there
        row_take  in   1              the position is taken for good: advance; only with ``valid``
        move      out  1              ``next`` becomes current
        valid     out  1              ``pixels`` are those of an output position
        last      out  1              of the map
        pixels    out  window_pixels  stable while ``valid``, until ``row_take``
    Latency  the first column shifts in the cycle after ``go``, or after the first ``move``
    Rate     one column in each cycle, also in that of ``row_take``
    Errors   none
    Golden   ``verif.reference.mram.windows``
    Source   project: input side of the schedule
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "go": In(1),
                "next": In(line_rows(arch)),
                "full": In(1),
                "row_take": In(1),
                "move": Out(1),
                "valid": Out(1),
                "last": Out(1),
                "pixels": Out(window_pixels(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The record's memory is far from what depends on it.
        self._kept = record = Signal.like(self.record, name="kept")
        with m.If(self.go):
            m.d.sync += record.eq(self.record)
        self.guarded(record, self.pixels)
        busy, line_end = Signal(), Signal()
        x, y = Signal(SIZE_BITS), Signal(SIZE_BITS)
        # Columns that miss, and the next column of the map: before and after this cycle's take.
        missing, needed = (Signal(range(8), name=name) for name in ("missing", "needed"))
        column, at = (Signal(signed(SIZE_BITS + 2), name=name) for name in ("column", "at"))
        shift = Signal()
        m.d.comb += [
            self.valid.eq(busy & (missing == 0)),
            line_end.eq(x == record.out_width - 1),
            self.last.eq(line_end & (y == record.out_height - 1)),
            needed.eq(missing),
            at.eq(column),
        ]
        with m.If(self.row_take):
            m.d.comb += needed.eq(record.stride_x)
            m.d.sync += x.eq(x + 1)
            with m.If(line_end):
                m.d.comb += [needed.eq(WINDOW), at.eq(-record.pad_left)]
                m.d.sync += [x.eq(0), y.eq(y + 1), busy.eq(~self.last)]
        m.d.sync += [missing.eq(needed - shift), column.eq(at + shift)]
        with m.If(self.go):
            m.d.sync += [
                busy.eq(1),
                x.eq(0),
                y.eq(0),
                missing.eq(WINDOW),
                column.eq(-self.record.pad_left),
            ]
        shifts = busy & ~(self.row_take & self.last) & (needed != 0)
        self._shift_columns(m, at=at, shifts=shifts, shift=shift)
        return m

    def _shift_columns(self, m: Module, *, at: Signal, shifts: Value, shift: Signal) -> None:
        """Hold the current rows; shift column `at` in if it `shifts` and is there."""
        record, row_blocks_log = self._kept, self._arch.row_blocks.bit_length() - 1
        current = Signal(line_rows(self._arch))
        self.guarded(current)
        current_valid, inside, released = Signal(), Signal(), Signal()
        pixel, last_pixel = Signal(max(row_blocks_log, 1)), Signal(max(row_blocks_log, 1))
        pixels_log = Signal.like(record.in_blocks_log)
        m.d.comb += [
            pixels_log.eq(row_blocks_log - record.in_blocks_log),
            last_pixel.eq((1 << pixels_log) - 1),
            pixel.eq(at & last_pixel),
            inside.eq((at >= 0) & (at < record.in_width)),
            shift.eq(shifts & (~inside | current_valid)),
            released.eq(shift & inside & ((pixel == last_pixel) | (at == record.last_column))),
            self.move.eq(self.full & (~current_valid | released)),
        ]
        with m.If(self.go):
            m.d.sync += current_valid.eq(0)
        with m.Elif(self.move):
            m.d.sync += [current.eq(self.next), current_valid.eq(1)]
        with m.Elif(released):
            m.d.sync += current_valid.eq(0)
        arch = self._arch
        block_bits = arch.block * arch.element_bits
        outside = record.outside[: arch.element_bits].replicate(arch.row_blocks * arch.block)
        block = (pixel << record.in_blocks_log)[: len(pixel)]
        first_bit = block.shift_left(block_bits.bit_length() - 1)
        for line in range(WINDOW):
            taps = self.pixels[line * WINDOW], self.pixels[line * WINDOW + 1]
            new = Mux(inside & ~current.outside[line], current.rows[line] >> first_bit, outside)
            last = self.pixels[line * WINDOW + 2]
            with m.If(shift):
                m.d.sync += [Cat(*taps).eq(Cat(taps[1], last)), last.eq(new)]
