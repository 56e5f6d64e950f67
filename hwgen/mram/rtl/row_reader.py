"""Row reader: fetches the rows of an image bank that hold the next pixels of three map lines.

Tests: `tests/verif/mram/test_array_side.py`.
"""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds, in_range
from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import WINDOW, Arch
from hwgen.mram.facts.records import SIZE_BITS
from hwgen.mram.rtl import layouts


def line_rows(arch: Arch) -> data.StructLayout:
    """One row of a bank for each of three map lines; ``outside``: lines beside the map."""
    return data.StructLayout(
        {"rows": data.ArrayLayout(arch.array.columns, WINDOW), "outside": WINDOW}
    )


class RowReader(Part):
    """Reads, for each output line and each chunk of pixels, a row of each line of its windows.

    Line l of output line y is input line ``y * stride_y - pad_top + l``; chunk k of it is in row
    ``line * (in_width / pixels of a row) + k``. A line beside the map takes its cycle and reads
    nothing. The last chunk is that of ``last_column``.

    Ports
        record     in   record     of a convolution, with ``go``
        go         in   1          in the cycle before
        move       in   1          the window takes ``next``; only with ``full``
        read_data  in   columns    content of ``read_row``
        read_en    out  1
        read_row   out  row_bits   unsigned
        next       out  line_rows
        full       out  1          all three lines of ``next`` are there
    Latency  0 from ``read_row`` to ``read_data``; it is in ``next`` after the clock edge
    Rate     one line in each cycle, also in that of ``move``; stops while ``full`` without ``move``
    Errors   none: lines begin on rows, or the map has one line
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
                "move": In(1),
                "read_data": In(arch.array.columns),
                "read_en": Out(1),
                "read_row": Out(arch.bank_row_bits),
                "next": Out(line_rows(arch)),
                "full": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The record's memory is far from what depends on it.
        record = Signal.like(self.record, name="kept")
        with m.If(self.go):
            m.d.sync += record.eq(self.record)
        self.guarded(record, self.next)
        busy, works, inside = Signal(), Signal(), Signal()
        lines, line = Signal(range(WINDOW + 1)), Signal(range(WINDOW))
        chunk, output_line = Signal(SIZE_BITS), Signal(SIZE_BITS)
        # A line of the window may be below the map, by up to a window and a stride.
        first_line, input_line = Signal(signed(SIZE_BITS + 2)), Signal(signed(SIZE_BITS + 2))
        pixels_log = Signal.like(record.in_blocks_log)
        m.d.comb += [
            pixels_log.eq(self._arch.row_blocks.bit_length() - 1 - record.in_blocks_log),
            self.full.eq(lines == WINDOW),
            works.eq(busy & (~self.full | self.move)),
            input_line.eq(first_line + line),
            inside.eq((input_line >= 0) & (input_line < record.in_height)),
            self.read_en.eq(works & inside),
            self.read_row.eq(input_line * (record.in_width >> pixels_log) + chunk),
        ]
        with m.If(~self.full):
            m.d.comb += line.eq(lines)
        with m.If(self.go):
            m.d.sync += [
                busy.eq(1),
                lines.eq(0),
                chunk.eq(0),
                output_line.eq(0),
                first_line.eq(-self.record.pad_top),
            ]
        with m.Elif(works):
            m.d.sync += [lines.eq(line + 1), self.next.outside.bit_select(line, 1).eq(~inside)]
            with m.If(line == WINDOW - 1):
                m.d.sync += chunk.eq(chunk + 1)
                with m.If(chunk == record.last_column >> pixels_log):
                    m.d.sync += [
                        chunk.eq(0),
                        output_line.eq(output_line + 1),
                        first_line.eq(first_line + record.stride_y),
                        busy.eq(output_line + 1 != record.out_height),
                    ]
        with m.Elif(self.move):
            m.d.sync += lines.eq(0)
        for number in range(WINDOW):
            with m.If(self.read_en & (line == number)):
                m.d.sync += self.next.rows[number].eq(self.read_data)
        in_range(m, "line", line, WINDOW - 1, when=works)
        begins, rows = self.go, self.next
        holds(m, "next", valid=self.full, ready=self.move, payload=rows, unless=begins)
        return m
