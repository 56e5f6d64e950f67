"""Loader: walks the windows of a block through a ring, and fills the inputs of the units."""

from typing import Any, NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.split_sums import split_sum
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.shifts import any_of, below, moved_down

Assignments = list[Any]

ADDRESS = 26
"""Bits of an element's place in a ring, and of a run of elements."""
COUNT = 16
"""Bits of rows, columns, pixels of a block."""

LOAD_CYCLES = 4
"""Cycles from the strobe to the first write of inputs, reads not waiting."""


STEP = data.StructLayout(
    {
        "address": ADDRESS,
        "column": signed(ADDRESS + 1),
        "row": signed(COUNT),
        "out_column": COUNT,
    }
)
"""What a step to another output pixel changes, constant.

address: of its window in the ring, modulo the ring; column: elements along the row of the map;
row: of the map; out_column: of the output map
"""
STEPPED = ("column", "row", "out_column")
"""All but the addresses, of which all are worked out."""

FORWARD = data.StructLayout({name: field.shape for name, field in STEP} | {"wrapped": ADDRESS})
"""A step forward; wrapped: its address where it leaves its row of output pixels."""

WRAP = data.StructLayout({"column": signed(ADDRESS + 1), "row": signed(COUNT)})
"""What comes beside where a step leaves its row of output pixels, as in `STEP`."""

PIXEL = data.StructLayout(
    {
        "base": ADDRESS,
        "address": ADDRESS,
        "column": signed(ADDRESS + 1),
        "row": signed(COUNT),
        "out_column": COUNT,
        "pixel": ADDRESS,
        "copy": COUNT,
        "block": ADDRESS,
    }
)
"""An output pixel: where its image and its window begin in the ring, the window's column, in
elements, and row in the map; its place in its row, its map, the copies of this macro; its block."""

STATE = data.StructLayout(
    {
        "half": 1,
        "section": COUNT,
        "base": ADDRESS,
        "base_column": signed(ADDRESS + 1),
        "row": signed(COUNT),
        "row_start": ADDRESS,
        "across": COUNT,
        "run_start": ADDRESS,
        "run_column": signed(ADDRESS + 1),
        "at": ADDRESS,
        "column": signed(ADDRESS + 1),
        "left_run": ADDRESS,
        "left_rows": ADDRESS,
        "unit": COUNT,
        "unit_row": COUNT,
    }
)
"""Where the walk is: addresses of section, kernel row, run and next element in the ring, and the
columns of the map that belong to them; what is left of the run, and of the section's rows."""


PIXEL_WALK = {
    "ring_first": ADDRESS,
    "ring_elements": ADDRESS,
    "map_elements": ADDRESS,
    "next_map": ADDRESS,
    "row_elements": ADDRESS,
    "rows": COUNT,
    "out_columns": COUNT,
    "out_pixels": ADDRESS,
    "blocks": ADDRESS,
    "first_pixel": COUNT,
    "block_pixels": COUNT,
    "begin": STEP,
    "next": FORWARD,
    "jump": FORWARD,
    "wrap": WRAP,
    "copies": COUNT,
}
"""What leads from window to window, see `WALK`."""

WALK = data.StructLayout(
    PIXEL_WALK
    | {
        "sections": COUNT,
        "runs_across": COUNT,
        "run_elements": ADDRESS,
        "last_run_elements": ADDRESS,
        "across": ADDRESS,
        "down": ADDRESS,
        "beside": ADDRESS,
        "skipped_runs": COUNT,
        "skipped_address": ADDRESS,
        "skipped_at": ADDRESS,
        "skipped_elements": ADDRESS,
        "unit_rows": ADDRESS,
        "last_unit_rows": ADDRESS,
    }
)
"""How a layer walks, constant; all in elements where no unit stands.

ring_first: word; ring_elements: of the ring
map_elements, next_map: from a map to the next one, and to its first window, modulo the ring
row_elements, rows: of the map that is read; out_columns, out_pixels: of the map that is written
blocks: of an image; first_pixel: of those of a block, the one of the first copy of this macro;
    block_pixels: of a block
begin: the first window of this macro; next: to the pixel behind; jump: from behind the last copy of
    this macro to its first one in the next block; wrap: beside, where a row of pixels ends
copies: of this macro; sections: of a copy, see `hwgen.crossbar.facts.holdings`
run_elements: that lie side by side in a row of a window; of the last section last_run_elements
runs_across: runs in a kernel row, `across` elements apart; down: from a kernel row to the next,
    modulo the ring; beside: from a section to the next
skipped_runs, skipped_elements: that belong to row tiles before those of this macro;
    skipped_address: elements of the skipped kernel rows, skipped_at: of all that is skipped, both
    modulo the ring
unit_rows: rows of a section in this macro; of the last section last_unit_rows
"""


class Loader(Part):
    """Reads the rows of the windows of a block, a word a cycle, and fills in the zero point.

    A read covers what lies in one word of one run and one unit; it is asked for even where the
    window leaves the map, so that all blocks take the same cycles.

    Pipeline
        cycle 0  ``want`` and ``granted``
        cycle 1  ``read_data``: shift, take zero points for what is outside the map
        cycle 2  ``row_write``; add the elements up
        cycle 3  ``sum_write``

    Parameters
    ----------
        chip   sizes of elements and words
        words  of the scratchpad
        units  that are filled; side: rows of a unit

    Ports
        walk       in   WALK         constant
        go         in   1            the strobe
        half       in   1            parity of the block, valid with it
        zero       in   bits         zero point of the map that is read
        want       out  1            at the port of the scratchpad
        word       out  word_bits
        granted    in   1
        read_data  in   word         in the cycle behind a grant
        row_...    out               see `Bank`
        row_last   out  1            the last write of the block
        row_half   out  1            parity of the block
        sum_...    out               see `Array`; of differential cells there are none
        late       out  1            ``go`` before the block before is through
    Latency  2 from ``go`` to the first ``want``
    Rate     a read in each cycle
    Errors   ``late``
    Golden   ``golden.ops.windows``
    Source   docs/crossbar-rules.md: load, and who holds what
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, words: int, units: int, side: int) -> None:
        self._elements, self._bits, self._side = (
            chip.word_elements,
            chip.activation_bits,
            side,
        )
        self._words, self._units, self._sums = words, units, not chip.pairs
        self._rows = min(self._elements, self._side)
        self._sum_bits = (side - 1).bit_length() + chip.activation_bits
        super().__init__(
            {
                "walk": In(self._walk_shape),
                "go": In(1),
                "half": In(1),
                "zero": In(self._bits),
                "want": Out(1),
                "word": Out(bits_for_index(words)),
                "granted": In(1),
                "read_data": In(self._elements * self._bits),
                "row_write": Out(1),
                "row_unit": Out(bits_for_index(units)),
                "row_first": Out(bits_for_index(self._side)),
                "row_count": Out(self._rows.bit_length()),
                "row_data": Out(self._rows * self._bits),
                "row_last": Out(1),
                "row_half": Out(1),
                **(self._sum_ports if self._sums else {}),
                "late": Out(1),
            }
        )

    @property
    def _sum_ports(self) -> dict[str, Any]:
        return {
            "sum_write": Out(1),
            "sum_unit": Out(bits_for_index(self._units)),
            "sum_half": Out(1),
            "sum_data": Out(self._sum_bits),
        }

    @property
    def size_suffix(self) -> str:
        # Only widths differ: layers of one width share a module.
        return f"{len(self.word)}u{len(self.row_unit)}x{self._side}"

    @property
    def _walk_shape(self) -> data.Layout:
        return WALK

    @property
    def _piece(self) -> data.StructLayout:
        """What goes with a read: place and number of its elements, those inside the map, the rows.

        begins, ends: the first one, and the last one, of the unit; last: of the block
        """
        count = range(self._rows + 1)
        return data.StructLayout(
            {
                "valid": 1,
                "offset": range(self._elements),
                "count": count,
                "low": count,
                "high": count,
                "unit": bits_for_index(self._units),
                "row": bits_for_index(self._side),
                "begins": 1,
                "ends": 1,
                "last": 1,
                "half": 1,
            }
        )

    @property
    def _filled(self) -> data.StructLayout:
        """What of that goes with the rows of a unit."""
        names = ["valid", "count", "unit", "row", "begins", "ends", "last", "half"]
        if not self._sums:
            names = [name for name in names if name not in ("begins", "ends")]
        return data.StructLayout({name: self._piece[name].shape for name in names})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        piece = Signal(self._piece)
        self._walk(m, piece)
        self._fill(m, piece)
        return m

    def _walk(self, m: Module, piece: data.View) -> None:
        """Drive the reads: copy, section, kernel row, run, part of a run."""
        walk, state, here = self.walk, Signal(STATE), Signal(PIXEL)
        busy, block_ends, leaves = Signal(), Signal(), Signal()
        offset, length = Signal(range(self._elements)), Signal(range(self._rows + 1))
        shift = self._elements.bit_length() - 1
        least_of, (run_ends, rows_end, unit_full, _) = least(
            self._rows,
            state.left_run,
            state.left_rows,
            self._side - state.unit_row,
            self._elements - offset,
        )
        m.d.comb += [
            offset.eq(state.at),
            self.want.eq(busy),
            self.word.eq(walk.ring_first + (state.at >> shift)),
            length.eq(least_of),
        ]
        unit_ends = rows_end | unit_full
        # How far a read goes is known late: the ring is taken off before.
        wrapped, further = Signal(ADDRESS + 1), Signal(ADDRESS + 1)
        m.d.comb += [wrapped.eq(state.at - walk.ring_elements), further.eq(length)]
        beyond = split_sum(m, wrapped, further, name="beyond")
        straight = split_sum(m, state.at, further[:-1], name="straight")
        behind = Mux(beyond[-1], straight, beyond[:-1])
        m.d.comb += [
            piece.offset.eq(offset),
            piece.count.eq(length),
            piece.unit.eq(state.unit),
            piece.row.eq(state.unit_row),
            piece.begins.eq(state.unit_row == 0),
            piece.ends.eq(unit_ends),
            piece.half.eq(state.half),
        ]
        self._cut(
            m,
            piece,
            row=state.row,
            column=state.column,
            rows=walk.rows,
            row_elements=walk.row_elements,
        )

        last_section = state.section == walk.sections - 1
        m.d.comb += [
            leaves.eq(piece.valid & rows_end & last_section),
            piece.last.eq(rows_end & last_section & block_ends),
        ]
        with m.If(piece.valid):
            m.d.sync += [
                *self._go_on(state, length, run_ends, behind),
                state.unit_row.eq(Mux(unit_ends, 0, state.unit_row + length)),
                state.unit.eq(state.unit + unit_ends),
                state.left_rows.eq(state.left_rows - length),
            ]
            with m.If(rows_end & ~last_section):
                m.d.sync += self._next_section(state, here)
        self._move(m, state, here, busy=busy, block_ends=block_ends, leaves=leaves)

    def _move(
        self,
        m: Module,
        state: data.View,
        here: data.View,
        *,
        busy: Signal,
        block_ends: Signal,
        leaves: Value,
    ) -> None:
        """Go to the first pixel at the strobe, to the next one where the walk leaves this one.

        The next pixel is ahead: to find it takes a cycle, and so does its first address.
        """
        walk, ahead, following = self.walk, Signal(PIXEL), Signal(PIXEL)
        ends = Ends(*(Signal(name=f"{name}_end") for name in Ends._fields))
        advance(m, walk, ahead, following, ends)
        start, fresh, first, skips = Signal(), Signal(init=1), Signal(), Signal()
        works, moves = Signal(), Signal()
        m.d.comb += [
            self.late.eq(self.go & (start | (busy & ~(leaves & block_ends)))),
            works.eq(Mux(first, ahead.pixel, here.pixel) < walk.out_pixels),
            moves.eq(leaves | skips | (start & (first | ~works))),
        ]
        m.d.sync += [start.eq(self.go), skips.eq(start & first & ~works)]
        with m.If(self.go):
            m.d.sync += [fresh.eq(0), state.half.eq(self.half), first.eq(fresh)]
            with m.If(fresh):
                first_ends = ends_at(walk, pixel=walk.first_pixel, copy=Const(0), block=Const(0))
                m.d.sync += [*begin(walk, ahead), *set_to(ends, first_ends)]
        with m.If(leaves):
            m.d.sync += busy.eq(~block_ends)
        with m.If(start):
            m.d.sync += [first.eq(0), busy.eq(works)]
            with m.If(works):
                m.d.sync += state.unit.eq(0)
        with m.If(moves):
            m.d.sync += [
                here.eq(ahead),
                block_ends.eq(ends.block),
                ahead.eq(following),
                *set_to(ends, ends_of(walk, following)),
                *self._enter(state, ahead),
            ]

    def _cut(
        self,
        m: Module,
        piece: data.View,
        *,
        row: Value,
        column: Value,
        rows: Value,
        row_elements: Value,
    ) -> None:
        """Say which elements of a read are inside the map; it begins at `row` and `column`."""
        inside, length = (row >= 0) & (row < rows), piece.count
        m.d.comb += [
            piece.valid.eq(self.want & self.granted),
            piece.low.eq(Mux(inside, clipped(-column, length), length)),
            piece.high.eq(clipped(row_elements - column, length)),
        ]

    def _enter(self, state: data.View, pixel: data.View) -> Assignments:
        """Begin the first section of a pixel, behind the rows that are not of this macro."""
        walk = self.walk
        first = modulo(self.walk, pixel.address + walk.skipped_address)
        return [
            state.section.eq(0),
            state.base.eq(pixel.address),
            state.base_column.eq(pixel.column),
            *self._open(state, Const(0), row_start=first, column=pixel.column),
            state.at.eq(modulo(self.walk, pixel.address + walk.skipped_at)),
            state.column.eq(pixel.column + walk.skipped_elements),
            state.row.eq(pixel.row + walk.skipped_runs),
            state.left_run.eq(self._run_elements(Const(0)) - walk.skipped_elements),
        ]

    def _next_section(self, state: data.View, pixel: data.View) -> Assignments:
        """Begin the section behind this one."""
        base = modulo(self.walk, state.base + self.walk.beside)
        column = state.base_column + self.walk.beside
        return [
            state.section.eq(state.section + 1),
            state.base.eq(base),
            state.base_column.eq(column),
            *self._open(state, state.section + 1, row_start=base, column=column),
            state.at.eq(base),
            state.column.eq(column),
            state.row.eq(pixel.row),
            state.left_run.eq(self._run_elements(state.section + 1)),
        ]

    def _open(
        self, state: data.View, section: Value, *, row_start: Value, column: Value
    ) -> Assignments:
        """Begin a section at the start of a kernel row."""
        last = section == self.walk.sections - 1
        return [
            state.across.eq(0),
            state.row_start.eq(row_start),
            state.run_start.eq(row_start),
            state.run_column.eq(column),
            state.left_rows.eq(Mux(last, self.walk.last_unit_rows, self.walk.unit_rows)),
        ]

    def _run_elements(self, section: Value) -> Value:
        """Return the elements of a run of a section."""
        last = section == self.walk.sections - 1
        return Mux(last, self.walk.last_run_elements, self.walk.run_elements)

    def _go_on(
        self, state: data.View, length: Value, run_ends: Value, behind: Value
    ) -> Assignments:
        """Go on behind a read: in its run, to the next run, or to the next kernel row."""
        walk = self.walk
        row_ends = state.across == walk.runs_across - 1
        row_start = modulo(self.walk, state.row_start + walk.down)
        run_start = Mux(row_ends, row_start, modulo(self.walk, state.run_start + walk.across))
        column = Mux(row_ends, state.base_column, state.run_column + walk.across)
        return [
            state.at.eq(Mux(run_ends, run_start, behind)),
            state.column.eq(Mux(run_ends, column, state.column + length)),
            state.left_run.eq(
                Mux(run_ends, self._run_elements(state.section), state.left_run - length)
            ),
            state.run_start.eq(Mux(run_ends, run_start, state.run_start)),
            state.run_column.eq(Mux(run_ends, column, state.run_column)),
            state.row_start.eq(Mux(run_ends & row_ends, row_start, state.row_start)),
            state.across.eq(Mux(run_ends, Mux(row_ends, 0, state.across + 1), state.across)),
            state.row.eq(state.row + (run_ends & row_ends)),
        ]

    def _fill(self, m: Module, piece: data.View) -> None:
        """Turn words into rows of units and their sums."""
        # cycle 1: the word is there
        read = Signal(self._piece)
        self.guarded(self.row_data)
        m.d.sync += read.eq(piece)
        keep = self._rows * self._bits
        shifted, inside, known = Signal(keep), Signal(keep), Signal(keep)
        before, behind, count = (
            below(end, self._rows, unit=self._bits) for end in (read.low, read.high, read.count)
        )
        outside = self.zero.replicate(self._rows)
        m.d.comb += [
            shifted.eq(moved_down(self.read_data, read.offset, unit=self._bits, keep=keep)),
            inside.eq(behind & ~before),
            known.eq(count),
        ]
        # cycle 2: rows, and their sum
        filled, total = Signal(self._filled), Signal(self._sum_bits)
        m.d.sync += [filled[name].eq(read[name]) for name, _ in self._filled]
        m.d.sync += self.row_data.eq(((shifted & inside) | (outside & ~inside)) & known)
        m.d.comb += [
            self.row_write.eq(filled.valid),
            self.row_unit.eq(filled.unit),
            self.row_first.eq(filled.row),
            self.row_count.eq(filled.count),
            self.row_last.eq(filled.last),
            self.row_half.eq(filled.half),
        ]
        if self._sums:
            self._add_up(m, filled, total)

    def _add_up(self, m: Module, filled: data.View, total: Signal) -> None:
        """Add up the rows of a unit."""
        m.d.comb += total.eq(
            sum_of([self.row_data.word_select(e, self._bits) for e in range(self._rows)])
        )
        # cycle 3: the sum of the unit
        running = Signal(self._sum_bits)
        m.d.sync += self.sum_write.eq(filled.valid & filled.ends)
        with m.If(filled.valid):
            m.d.sync += [
                running.eq(Mux(filled.begins, 0, running) + total),
                self.sum_unit.eq(filled.unit),
                self.sum_half.eq(filled.half),
            ]
        m.d.comb += self.sum_data.eq(running)


def modulo(walk: data.View, address: Value) -> Value:
    """Return an address below twice the ring as one in it."""
    ring = walk.ring_elements
    return Mux(address >= ring, address - ring, address)


class Ends(NamedTuple):
    """What a pixel ends: the copies of this macro, its block, its image; or it is of no map."""

    copies: Value
    block: Value
    image: Value


def ends_of(walk: data.View, here: data.View) -> Ends:
    """Return what a pixel ends."""
    return ends_at(walk, pixel=here.pixel, copy=here.copy, block=here.block)


def ends_at(walk: data.View, *, pixel: Value, copy: Value, block: Value) -> Ends:
    """Return what the pixel at a place ends, see `PIXEL`."""
    copies = copy == walk.copies - 1
    block_ends = copies | (pixel + 1 >= walk.out_pixels)
    image = (block_ends & (block == walk.blocks - 1)) | (pixel >= walk.out_pixels)
    return Ends(copies, block_ends, image)


def advance(m: Module, walk: data.View, here: data.View, following: data.View, ends: Ends) -> None:
    """Compute the pixel behind this one, of this macro; ends: what this one ends."""
    step = Signal(data.StructLayout({name: STEP[name].shape for name in STEPPED}))
    m.d.comb += [
        step[name].eq(Mux(ends.copies, walk.jump[name], walk.next[name])) for name in STEPPED
    ]
    column, row, out_column = (here[name] + step[name] for name in STEPPED)
    wraps = Signal()
    # All are found before it is known which is wanted: many wait for that.
    steps = walk.jump, walk.next
    address, wrapped = (
        Mux(ends.copies, *(modulo(walk, here.address + one[name]) for one in steps))
        for name in ("address", "wrapped")
    )
    base = modulo(walk, here.base + walk.map_elements)
    jumped_pixels = walk.block_pixels - walk.copies + 1
    m.d.comb += [
        wraps.eq(out_column >= walk.out_columns),
        following.base.eq(here.base),
        following.address.eq(Mux(wraps, wrapped, address)),
        *(
            following[name].eq(Mux(wraps, moved + walk.wrap[name], moved))
            for name, moved in (("column", column), ("row", row))
        ),
        following.out_column.eq(Mux(wraps, out_column - walk.out_columns, out_column)),
        following.pixel.eq(Mux(ends.copies, here.pixel + jumped_pixels, here.pixel + 1)),
        following.copy.eq(Mux(ends.block, 0, here.copy + 1)),
        following.block.eq(here.block + ends.block),
    ]
    with m.If(ends.image):
        m.d.comb += [
            following.base.eq(base),
            following.address.eq(modulo(walk, here.base + walk.next_map)),
            following.column.eq(walk.begin.column),
            following.row.eq(walk.begin.row),
            following.out_column.eq(walk.begin.out_column),
            following.pixel.eq(walk.first_pixel),
            following.copy.eq(0),
            following.block.eq(0),
        ]


def begin(walk: data.View, here: data.View) -> Assignments:
    """Begin with the first pixel of the first image."""
    return [
        here.address.eq(walk.begin.address),
        here.column.eq(walk.begin.column),
        here.row.eq(walk.begin.row),
        here.out_column.eq(walk.begin.out_column),
        here.pixel.eq(walk.first_pixel),
    ]


def set_to(signals: Ends, values: Ends) -> Assignments:
    """Take other ends."""
    return [one.eq(value) for one, value in zip(signals, values, strict=True)]


def least(most: int, *values: Value) -> tuple[Value, list[Value]]:
    """Return the least of a small number and some values, none negative, and which of them it is.

    Each is compared with each at once.
    """
    bits = most.bit_length()

    def above(low: Value) -> Value:
        # Verilator says that a comparison with all ones is constant.
        return low > most if most + 1 < 1 << bits else Const(0, 1)

    larger = [value[bits:].any() | above(value[:bits]) for value in values]
    found = [Mux(one, most, value[:bits])[:bits] for one, value in zip(larger, values, strict=True)]
    is_least = [Cat(one <= other for other in found).all() for one in found]
    chosen = any_of([Mux(one, value, 0) for one, value in zip(is_least, found, strict=True)])
    return chosen, [one & ~other for one, other in zip(is_least, larger, strict=True)]


def clipped(value: Value, most: Value) -> Value:
    """Return a signed value, at least 0 and at most `most`."""
    return Mux(value < 0, 0, Mux(value > most, most, value))


def sum_of(terms: list[Value]) -> Value:
    """Return the sum of any number of terms as a balanced tree."""
    while len(terms) > 1:
        pairs = [low + high for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(terms) & ~1 :]
    return terms[0]
