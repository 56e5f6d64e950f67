"""Walks the position vectors of a core and requests their input words, one for each macro."""

from typing import NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.rtl.common.choose import choose
from hwgen.rtl.dbpim.layouts import COORDINATE_BITS, CORE_BITS, fetch_request, packet, position
from hwgen.rtl.dbpim.region import Region, address_of, bank_of
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.timing import TILE_SLOTS
from hwgen.spec.widths import bits_for_index


class Place(NamedTuple):
    """Coordinates of a pixel in a map."""

    y: Value
    x: Value

    def eq(self, other: "Place") -> list[Value]:
        """Return the assignments of both coordinates."""
        return [self.y.eq(other.y), self.x.eq(other.x)]


def place(name: str) -> Place:
    """Return registers for a place."""
    y = Signal(COORDINATE_BITS, name=f"{name}_y")
    return Place(y, Signal(COORDINATE_BITS, name=f"{name}_x"))


ORIGIN = Place(0, 0)


class VectorCounters(NamedTuple):
    """Registers of the loops over the position vectors that the core owns.

    start, chunk, now: first position of the core, of the chunk, of the current position vector
    number: of the current vector in its chunk; left: vectors of the core from the chunk's first on
    """

    start: Place
    chunk: Place
    now: Place
    number: Signal
    left: Signal


class Ends(NamedTuple):
    """Loops that end with the word on offer: of the vector, the chunk, the core's filter group."""

    vector: Value
    chunk: Value
    group: Value


class Walker(Part):
    """The loops of a layer: filter groups, chunks, tiles, vectors, words (kh, kw, channel word).

    ``pixel = position * stride + (ky, kx) - padding`` for the M positions of a vector, neighbours
    in raster order; position i goes to macro ``(i + turn) mod M``

    Ports
        layer           in      CONV           the layer, constant while the walker walks
        go              in      1              start the layer of ``layer``
        core            in      3              constant: number of this core
        finish          in      1              the layer is over in all cores: clear ``done``
        tile_known      in      1              the tile to walk has its header and masks
        tile            in      TILE           its header
        tile_slot       in      slot_bits
        tile_mask_base  in      mask_bits      its first mask word
        tile_row_base   in      row_bits       its first row
        tile_done       out     1              its last word is taken in this cycle
        request         stream  fetch_request  entry m of ``pixels`` is for macro m
        walking         out     1              started and not done
        done            out     1              all words of the layer are taken, until ``finish``
        waiting_tile    out     1              no request because no tile is known
    Latency  with ``go`` at t the first request is at t + 1 + core_in_set (core mod S)
    Rate     one request in each cycle; no gap between tiles, chunks or filter groups
    Errors   none: a core that takes part has at least one position vector, a tile at least one word
    Golden   ``golden.ops.windows.windows``, ``golden.dbpim.activation_buffer``
    Source   seed 002, V-D: loops n, k, m with T_m = M positions, weights stationary
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "layer": In(packet(Opcode.CONV)),
                "go": In(1),
                "core": In(CORE_BITS),
                "finish": In(1),
                "tile_known": In(1),
                "tile": In(packet(Opcode.TILE)),
                "tile_slot": In(bits_for_index(TILE_SLOTS)),
                "tile_mask_base": In(bits_for_index(arch.mask_words)),
                "tile_row_base": In(bits_for_index(arch.macro.rows)),
                "tile_done": Out(1),
                "request": Out(stream.Signature(fetch_request(arch))),
                "walking": Out(1),
                "done": Out(1),
                "waiting_tile": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = self.layer
        core_in_set, count = Signal(CORE_BITS), Signal.like(layer.count_base)
        ready_to_walk, taken = Signal(), Signal()
        bits = len(layer.chunk_vectors)
        vectors = VectorCounters(
            place("start"), place("chunk"), place("now"), Signal(bits), Signal.like(count)
        )
        m.d.comb += [
            core_in_set.eq(self.core & ((1 << layer.cores_per_set_log2) - 1)),
            count.eq(layer.count_base + (core_in_set < layer.count_extra)),
            self.request.valid.eq(ready_to_walk & self.tile_known),
            self.waiting_tile.eq(ready_to_walk & ~self.tile_known),
            taken.eq(self.request.valid & self.request.ready),
        ]
        word, kernel = self._words(m, taken=taken)
        ends = self._ends(m, word=word, vectors=vectors)
        self._drive_request(
            m, word=word, kernel=kernel, vectors=vectors, ends=ends, core_in_set=core_in_set
        )
        with m.If(taken & ends.vector):
            self._next_vector(m, vectors=vectors, ends=ends, count=count)
        self._start(
            m, vectors=vectors, core_in_set=core_in_set, count=count, ready_to_walk=ready_to_walk
        )
        return m

    def _start(
        self,
        m: Module,
        *,
        vectors: VectorCounters,
        core_in_set: Value,
        count: Value,
        ready_to_walk: Value,
    ) -> None:
        """From `go`, step to the core's first vector; each core before it in the set is a cycle."""
        units = Signal.like(core_in_set)
        m.d.comb += ready_to_walk.eq(self.walking & (units == 0))
        with m.If(self.walking & (units != 0)):
            first = self._step(vectors.start, y=self.layer.unit_y, x=self.layer.unit_x)
            m.d.sync += [vectors.start.eq(first), vectors.chunk.eq(first), vectors.now.eq(first)]
            m.d.sync += units.eq(units - 1)
        with m.If(self.finish):
            m.d.sync += [self.walking.eq(0), self.done.eq(0)]
        with m.If(self.go):
            m.d.sync += [vectors.start.eq(ORIGIN), vectors.chunk.eq(ORIGIN), vectors.now.eq(ORIGIN)]
            m.d.sync += [
                self.walking.eq(1),
                units.eq(core_in_set),
                vectors.left.eq(count),
            ]

    def _step(self, at: Place, *, y: Value, x: Value) -> Place:
        """Return the place (y, x) further in raster order; x is below the width of the map."""
        width = self.layer.output_width
        across = at.x + x
        wraps = across >= width
        return Place(at.y + y + wraps, Mux(wraps, across - width, across)[:COORDINATE_BITS])

    def _words(self, m: Module, *, taken: Value) -> tuple[Signal, tuple[Value, Value, Value]]:
        """Count the words of a vector; return the word's number and its (ky, kx, channel word)."""
        layer, tile = self.layer, self.tile
        word = Signal.like(tile.mask_words)
        starts = (tile.kernel_y, tile.kernel_x, tile.channel_word)
        names = ("ky", "kx", "channel_word")
        later = [Signal(len(s), name=f"next_{n}") for s, n in zip(starts, names, strict=True)]
        now = [Signal(len(s), name=n) for s, n in zip(starts, names, strict=True)]
        first = word == 0
        m.d.comb += [n.eq(Mux(first, s, r)) for n, s, r in zip(now, starts, later, strict=True)]
        ky, kx, channel_word = now
        pixel_ends = channel_word + 1 == layer.input_channel_words
        row_ends = pixel_ends & (kx + 1 == layer.kernel_width)
        with m.If(taken):
            m.d.sync += [
                word.eq(Mux(word + 1 == tile.mask_words, 0, word + 1)),
                later[0].eq(ky + row_ends),
                later[1].eq(Mux(row_ends, 0, kx + pixel_ends)),
                later[2].eq(Mux(pixel_ends, 0, channel_word + 1)),
            ]
        return word, (ky, kx, channel_word)

    def _ends(self, m: Module, *, word: Signal, vectors: VectorCounters) -> Ends:
        """Return the loops that the word on offer ends; a core's last vector ends its chunk."""
        ends = Ends(Signal(name="vector_end"), Signal(name="chunk_end"), Signal(name="group_end"))
        m.d.comb += [
            ends.vector.eq(word + 1 == self.tile.mask_words),
            ends.group.eq(vectors.number + 1 == vectors.left),
            ends.chunk.eq(ends.group | (vectors.number + 1 == self.layer.chunk_vectors)),
        ]
        return ends

    def _next_vector(self, m: Module, *, vectors: VectorCounters, ends: Ends, count: Value) -> None:
        """Step to the position vector that the next word belongs to."""
        tile, layer = self.tile, self.layer
        following = self._step(vectors.now, y=layer.step_y, x=layer.step_x)
        m.d.comb += self.tile_done.eq(ends.chunk)
        m.d.sync += [
            vectors.now.eq(following),
            vectors.number.eq(Mux(ends.chunk, 0, vectors.number + 1)),
        ]
        with m.If(ends.chunk & ~tile.last):
            m.d.sync += vectors.now.eq(vectors.chunk)
        with m.Elif(ends.group):
            m.d.sync += [
                vectors.now.eq(vectors.start),
                vectors.chunk.eq(vectors.start),
                vectors.left.eq(count),
            ]
            with m.If(tile.last_group):
                m.d.sync += [self.walking.eq(0), self.done.eq(1)]
        with m.Elif(ends.chunk):
            m.d.sync += [
                vectors.chunk.eq(following),
                vectors.left.eq(vectors.left - layer.chunk_vectors),
            ]

    def _drive_request(
        self,
        m: Module,
        *,
        word: Value,
        kernel: tuple[Value, Value, Value],
        vectors: VectorCounters,
        ends: Ends,
        core_in_set: Value,
    ) -> None:
        """Put the word on offer into the request, for every macro."""
        tile, tag = self.tile, self.request.payload.tag
        very_last = ends.group & (core_in_set == self.layer.last_core_in_set)
        neighbours = self._neighbours(m, vectors.now, very_last=very_last)
        for macro in range(len(neighbours)):
            at = Signal(position(), name=f"position_{macro}")
            m.d.comb += at.eq(choose(neighbours, macro - tile.turn))
            m.d.comb += self.request.payload.positions[macro].eq(at)
            self._aim(m, macro, at=at, kernel=kernel)
        m.d.comb += [
            tag.mask_index.eq(self.tile_mask_base + word),
            tag.vector_end.eq(ends.vector),
            tag.tile.eq(self.tile_slot),
            tag.first.eq(tile.first),
            tag.last.eq(tile.last),
            tag.tile_end.eq(ends.chunk),
            tag.vector.eq(vectors.number),
            tag.row_base.eq(self.tile_row_base),
        ]

    def _neighbours(self, m: Module, first: Place, *, very_last: Value) -> list[Signal]:
        """Return the positions of a vector: neighbours in raster order from `first` on."""
        neighbours = []
        at = first
        for index in range(self._arch.macros_per_core):
            neighbour = Signal(position().size, name=f"neighbour_{index}")
            active = ~(very_last & (index >= self.layer.last_positions))
            m.d.comb += neighbour.eq(Cat(at.y[:COORDINATE_BITS], at.x, active))
            neighbours.append(neighbour)
            at = Place(neighbour[:COORDINATE_BITS], neighbour[COORDINATE_BITS:-1])
            at = self._step(at, y=0, x=1)
        return neighbours

    def _aim(
        self, m: Module, macro: int, *, at: data.View, kernel: tuple[Value, Value, Value]
    ) -> None:
        """Request the input word of one macro: its bank and address, or padding."""
        layer, pixel = self.layer, self.request.payload.pixels[macro]
        ky, kx, channel_word = kernel
        y = at.y * layer.stride + ky - layer.padding
        x = at.x * layer.stride + kx - layer.padding
        inside = (y >= 0) & (y < layer.input_height) & (x >= 0) & (x < layer.input_width)
        pixel_y, pixel_x = (v[:COORDINATE_BITS].as_unsigned() for v in (y, x))
        region = Region(layer.input_base, layer.input_row_pitch, layer.input_channel_words)
        m.d.comb += [
            pixel.active.eq(at.active),
            pixel.inside.eq(inside),
            pixel.bank.eq(bank_of(self._arch, y=pixel_y, x=pixel_x)),
            pixel.address.eq(
                address_of(self._arch, region, y=pixel_y, x=pixel_x, word=channel_word)
            ),
        ]
