"""Joined loader: fills units from the rings of several providers, whose channels are one map's.

Tests: `tests/verif/crossbar/test_chip.py`.
"""

from collections.abc import Sequence

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import data

from hwgen.chip.rtl.choose import choose_below
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.columns import Piece, pieces_of, whole_pieces
from hwgen.crossbar.rtl.engine import Engine
from hwgen.crossbar.rtl.loader import (
    ADDRESS,
    COUNT,
    PIXEL,
    PIXEL_WALK,
    WALK,
    Loader,
    advance,
    begin,
    ends_of,
    least,
    modulo,
)
from hwgen.crossbar.rtl.walks import pixels_of, walk_of

JOINED_WALK = data.StructLayout(PIXEL_WALK)
"""From window to window of one provider, constant; the rest of `WALK` is in the pieces."""


def piece_layout(rings: int) -> data.StructLayout:
    """A piece of a window, see `hwgen.crossbar.facts.columns.Piece`, constant.

    row, column: of its first element, from the first one of the window; address: in the ring, too
    length: of elements; unit, unit_row: of a copy, where they go
    begins, ends: the first one, and the last one, of the unit
    """
    return data.StructLayout(
        {
            "ring": range(rings),
            "row": COUNT,
            "column": ADDRESS,
            "address": ADDRESS,
            "length": ADDRESS,
            "unit": COUNT,
            "unit_row": COUNT,
            "begins": 1,
            "ends": 1,
        }
    )


class JoinedLoader(Loader):
    """Reads the windows of a block piece by piece; see `Loader`.

    The rows of a unit have the order of `hwgen.crossbar.facts.columns.rows_in_order`.

    Parameters
    ----------
        chip, words, units, side  see `Loader`
        name      of the layer and the macro, whose pieces are constants of the module
        pieces    of a window, of the row tiles that this macro holds, in their order
        row_elements, ring_elements  of the map of each provider, and of its ring
    Ports
        walk      in   rings x JOINED_WALK  constant, of each provider
        others as `Loader`
    Golden   ``golden.ops.windows`` of the concatenated maps
    Source   docs/crossbar-rules.md: load; ``hwgen.crossbar.facts.columns``
    """

    def __init__(
        self,
        *,
        chip: Chip,
        words: int,
        units: int,
        side: int,
        name: str,
        pieces: Sequence[Piece],
        row_elements: Sequence[int],
        ring_elements: Sequence[int],
    ) -> None:
        self._name, self._pieces = name, list(pieces)
        self._row_elements, self._ring_elements = list(row_elements), list(ring_elements)
        super().__init__(chip=chip, words=words, units=units, side=side)

    @property
    def size_suffix(self) -> str:
        return self._name

    @property
    def _walk_shape(self) -> data.Layout:
        return data.ArrayLayout(JOINED_WALK, len(self._ring_elements))

    @property
    def _tiles(self) -> list[tuple[int, int]]:
        """Section and row tile of each unit of a copy."""
        return list(dict.fromkeys((one.section, one.row_tile) for one in self._pieces))

    def _constant(self, number: int) -> data.Const:
        """Return a piece as it stands in the module."""
        units = [self._tiles.index((one.section, one.row_tile)) for one in self._pieces]
        one, unit = self._pieces[number], units[number]
        address = one.kernel_row * self._row_elements[one.ring] + one.begin
        fields = {
            "ring": one.ring,
            "row": one.kernel_row,
            "column": one.begin,
            "address": address % self._ring_elements[one.ring],
            "length": one.length,
            "unit": unit,
            "unit_row": one.row,
            "begins": int(unit not in units[:number]),
            "ends": int(unit not in units[number + 1 :]),
        }
        return piece_layout(len(self._ring_elements)).const(fields)

    def _walk(self, m: Module, piece: data.View) -> None:
        """Drive the reads: copy, piece, part of a piece that lies in one word."""
        rings, last = range(len(self._ring_elements)), len(self._pieces) - 1
        here = [Signal(PIXEL, name=f"here_{ring}") for ring in rings]
        following = [Signal(PIXEL, name=f"following_{ring}") for ring in rings]
        ends = [Signal(name=f"block_ends_{ring}") for ring in rings]
        for ring in rings:
            ends_here = ends_of(self.walk[ring], here[ring])
            m.d.comb += ends[ring].eq(ends_here.block)
            advance(m, self.walk[ring], here[ring], following[ring], ends_here)
        busy, start, fresh, half = Signal(), Signal(), Signal(init=1), Signal()
        number, done = Signal(range(max(2, last + 1))), Signal(ADDRESS)
        units, now = Signal(COUNT), Signal(piece_layout(len(rings)))
        with m.Switch(number):
            for place in range(last + 1):
                with m.Case(place):
                    m.d.comb += now.eq(self._constant(place))
        own = [self._place(m, ring, here[ring], now, done) for ring in rings]
        at, row, column, first, walk_row, walk_rows = (
            choose_below([each[k] for each in own], now.ring) for k in range(6)
        )
        shift = self._elements.bit_length() - 1
        offset, length = Signal(range(self._elements)), Signal(range(self._rows + 1))
        piece_ends = done + length == now.length
        copy_ends = piece_ends & (number == last)
        m.d.comb += [
            self.want.eq(busy),
            self.word.eq(first + (at >> shift)),
            offset.eq(at),
            length.eq(least(self._rows, now.length - done, self._elements - offset)[0]),
            piece.offset.eq(offset),
            piece.count.eq(length),
            piece.unit.eq(units + now.unit),
            piece.row.eq(now.unit_row + done),
            piece.begins.eq(now.begins & (done == 0)),
            piece.ends.eq(now.ends & piece_ends),
            piece.half.eq(half),
            piece.last.eq(copy_ends & ends[0]),
            self.late.eq(self.go & (start | (busy & ~(piece.valid & piece.last)))),
        ]
        self._cut(m, piece, row=row, column=column, rows=walk_rows, row_elements=walk_row)
        with m.If(self.go):
            m.d.sync += [start.eq(1), fresh.eq(0), half.eq(self.half)]
            with m.If(fresh):
                for ring in rings:
                    m.d.sync += begin(self.walk[ring], here[ring])
        with m.If(start):
            m.d.sync += [start.eq(0), units.eq(0), number.eq(0), done.eq(0)]
            with m.If(here[0].pixel < self.walk[0].out_pixels):
                m.d.sync += busy.eq(1)
            with m.Else():
                m.d.sync += [one.eq(two) for one, two in zip(here, following, strict=True)]
        with m.If(piece.valid):
            m.d.sync += done.eq(done + length)
            with m.If(piece_ends):
                m.d.sync += [done.eq(0), number.eq(number + 1)]
            with m.If(copy_ends):
                m.d.sync += [number.eq(0), units.eq(units + len(self._tiles))]
                m.d.sync += [one.eq(two) for one, two in zip(here, following, strict=True)]
                m.d.sync += busy.eq(~ends[0])

    def _place(
        self, m: Module, ring: int, here: data.View, now: data.View, done: Value
    ) -> tuple[Value, ...]:
        """Return where the walk is if it is in a ring: place, row and column; and its constants."""
        walk = self.walk[ring]
        at, row = Signal(ADDRESS, name=f"at_{ring}"), Signal(signed(COUNT), name=f"row_{ring}")
        column = Signal(signed(ADDRESS + 1), name=f"column_{ring}")
        first = modulo(walk, here.address + now.address)
        m.d.comb += [
            at.eq(modulo(walk, first + done)),
            row.eq(here.row + now.row),
            column.eq(here.column + now.column + done),
        ]
        return at, row, column, walk.ring_first, walk.row_elements, walk.rows


def loader_of(engine: Engine, *, units: int, side: int) -> tuple[Loader, data.Const]:
    """Return what fills the inputs of an engine, from one ring or more, and its constants."""
    chip, placed, held = engine.chip, engine.layer, engine.held
    words, layer = chip.macros[held.macro].words, placed.layer
    shares, regions = chip.shares_of(placed.place), engine.inputs()
    if len(shares) == 1:
        walk = WALK.const(walk_of(chip, placed, held, regions[0]))
        return Loader(chip=chip, words=words, units=units, side=side), walk
    pixels = layer.in_channels // sum(shares)
    walks = [
        pixels_of(chip, placed, held, region, channels * pixels)
        for region, channels in zip(regions, shares, strict=True)
    ]
    if placed.cut is None:
        pieces = whole_pieces(layer, shares)
    else:
        tiles = range(*held.row_tiles)
        every = pieces_of(layer, placed.cut, shares)
        pieces = [one for one in every if one.row_tile in tiles]
    loader = JoinedLoader(
        chip=chip,
        words=words,
        units=units,
        side=side,
        name=engine.size_suffix,
        pieces=pieces,
        row_elements=[walk["row_elements"] for walk in walks],
        ring_elements=[walk["ring_elements"] for walk in walks],
    )
    return loader, data.ArrayLayout(JOINED_WALK, len(walks)).const(walks)
