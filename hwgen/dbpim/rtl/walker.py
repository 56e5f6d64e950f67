"""Walks the position vectors of a core and requests their input words, one for each macro."""

from typing import Any, NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PRODUCTS, ROWS, Opcode, Operation
from hwgen.dbpim.facts.timing import TILE_SLOTS
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.product_walk import ProductWalk
from hwgen.dbpim.rtl.vector_pixels import VectorPixels, place


class VectorCounters(NamedTuple):
    """Registers of the loops over the position vectors of the core.

    chunk, now: first position of the chunk, of the current position vector
    number: of the current vector in its chunk; left: vectors of the core from the chunk's first on
    """

    chunk: data.View
    now: data.View
    number: Signal
    left: Signal


class Window(NamedTuple):
    """The word on offer: its number in the inner loop, window row and column, channel word."""

    number: Signal
    ky: Signal
    kx: Signal
    word: Signal


class Tap(NamedTuple):
    """The word on offer in a SIMD step.

    first: of a result; second: of map b; word: channel word of its map
    number: of the tap; of a product the byte that a pixel of map b is for
    at_output: it is of two maps, and read at the output's own position
    """

    first: Value
    second: Value
    number: Value
    word: Value
    at_output: Value


class Ends(NamedTuple):
    """Loops that end with the word on offer.

    vector: the position vector in a tile, or its taps; chunk: the tile in a chunk; group: the
    filter group, or the channel word; core: all work of the core
    """

    vector: Signal
    chunk: Signal
    group: Signal
    core: Signal


class Walker(Part):
    """The loops of a step over the M positions of each vector.

    CONV: filter groups, chunks, tiles, vectors, words (kh, kw, channel word). SIMD: channel words,
    vectors, taps (kh, kw; of ADD, MULTIPLY and SQUARES the two maps; of a product each word of
    map a and the pixels of map b that it meets; of the row unit groups of channel words, vectors,
    passes, words of a group). ``VectorPixels`` says what a vector is and where its input words lie;
    position i goes to macro ``(i + turn) mod M``.

    Ports
        instruction     in      SIMD           CONV or SIMD, constant while the walker walks
        work            in      work           of this core, constant too
        go              in      1              start the step of ``instruction``
        finish          in      1              the step is over in all cores: clear ``done``
        tile_known      in      1              the tile to walk has its header and masks
        tile            in      TILE           its header
        tile_slot       in      slot_bits
        tile_mask_base  in      mask_bits      its first mask word [this and the next two lines: not
                                               without ``sparse_parts``]
        mask_index      out     mask_bits      the mask word of the next word
        mask            in      C              that mask word
        tile_row_base   in      row_bits       its first row
        tile_done       out     1              its last word is taken in this cycle
        taps_known      in      1              words of the present channel word may be requested
        word_done       out     1              its last word is taken in this cycle (SIMD)
        request         stream  fetch_request  entry m of ``pixels`` is for macro m; a register
        walking         out     1              started, and words are left
        done            out     1              all requests of the step are taken, until ``finish``
        waits_for_load  out     1              no request because no tile or no taps are known
    Latency  with ``go`` at t the first word is taken in at t + 1 if its tile is known; a request
             is there in the cycle after its word was taken in; of a product later, by a cycle for
             each group and each word of the group that the core does not begin with
    Rate     one request in each cycle; no gap between tiles, chunks, filter groups, channel words
    Errors   none: a core that takes part has at least one position vector, a tile at least one word
    Golden   ``golden.ops.windows.windows``, ``verif.reference.dbpim.activation_buffer``
    Source   seed 002, V-D: loops n, k, m with T_m = M positions, weights stationary
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._pixels = VectorPixels(arch=arch)
        self._walk = ProductWalk(arch=arch) if arch.row_unit else None
        self.parts = [self._pixels, *([self._walk] if self._walk else [])]
        self._arch, mask_bits = arch, bits_for_index(max(1, arch.mask_words))
        masks = {"mask_index": Out(mask_bits), "mask": In(arch.word)}
        super().__init__(
            {
                "instruction": In(layouts.packet(Opcode.SIMD, arch)),
                "work": In(layouts.work()),
                "go": In(1),
                "finish": In(1),
                "tile_known": In(1),
                "tile": In(layouts.tile(arch)),
                "tile_slot": In(bits_for_index(TILE_SLOTS)),
                **({"tile_mask_base": In(mask_bits)} if arch.sparse_parts else {}),
                "tile_row_base": In(bits_for_index(arch.macro.rows)),
                **(masks if arch.sparse_parts else {}),
                "tile_done": Out(1),
                "taps_known": In(1),
                "word_done": Out(1),
                "request": Out(stream.Signature(layouts.fetch_request(arch))),
                "walking": Out(1),
                "done": Out(1),
                "waits_for_load": Out(1),
            }
        )
        conv = layouts.packet(Opcode.CONV, arch)
        self._conv = data.View(conv, self.instruction.as_value()[: conv.size])
        self._is_simd = self.instruction.opcode == Opcode.SIMD
        operation = self.instruction.operation
        two_maps = (operation == Operation.ADD) | (operation == Operation.MULTIPLY)
        if arch.simd_tflite:
            two_maps = two_maps | (operation == Operation.SQUARES)
        self._two_maps = self._is_simd & two_maps
        scores, values = (operation == product for product in PRODUCTS)
        self._is_product = self._is_simd & (scores | values)
        self._is_row = self._is_simd & Cat(operation == each for each in ROWS).any()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._over = Signal(name="over")
        self._placed = Signal(name="placed") if self._walk else None
        bits = len(self.work.vectors)
        vectors = VectorCounters(
            Signal(place(), name="chunk"),
            Signal(place(), name="now"),
            Signal(bits, name="vector_number"),
            Signal(bits, name="vectors_left"),
        )
        known, taken = Signal(), Signal()
        may = known if self._placed is None else known & self._placed
        m.d.comb += [
            known.eq(Mux(self._is_simd, self.taps_known, self.tile_known)),
            self.waits_for_load.eq(self.walking & ~known),
            taken.eq(self.walking & may & (~self.request.valid | self.request.ready)),
        ]
        with m.If(taken | self.request.ready):
            m.d.sync += self.request.valid.eq(taken)
        words_left = Signal.like(self.work.word_count)
        window = Window(
            Signal(layouts.simd_tag()["tap"].shape, name="number"),
            Signal.like(self.tile.kernel_y, name="ky"),
            Signal.like(self.tile.kernel_x, name="kx"),
            Signal.like(self.tile.channel_word, name="word"),
        )
        ends = self._ends(m, window=window, vectors=vectors, words_left=words_left)
        simd_word = self._count_words(m, words_left, ends=ends, taken=taken)
        self._step_window(m, window, ends=ends, simd_word=simd_word, taken=taken)
        offered = self._offered(m, window=window, vectors=vectors, ends=ends, taken=taken)
        with m.If(taken):
            m.d.sync += self.request.payload.eq(offered)
        with m.If(taken & ends.vector):
            self._next_vector(m, vectors=vectors, ends=ends)
        self._start(m, vectors=vectors)
        return m

    def _start(self, m: Module, *, vectors: VectorCounters) -> None:
        """Walk from the cycle after `go`, until the last word and `finish`."""
        m.d.comb += self.done.eq(self._over & ~self.request.valid)
        with m.If(self.finish):
            m.d.sync += [self.walking.eq(0), self._over.eq(0)]
        with m.If(self.go):
            m.d.sync += [
                self.walking.eq(1),
                vectors.chunk.eq(self._first_place()),
                vectors.now.eq(self._first_place()),
                vectors.left.eq(self.work.vectors),
            ]

    def _first_place(self) -> Value:
        """Return the first position of the core, as `place`."""
        return Cat(self.work.start_image, self.work.start_y, self.work.start_x)

    def _ends(
        self, m: Module, *, window: Window, vectors: VectorCounters, words_left: Signal
    ) -> Ends:
        """Return the loops that the word on offer ends; a core's last vector ends its chunk."""
        ends = Ends(*(Signal(name=f"{name}_end") for name in Ends._fields))
        last_in_tile = window.number + 1 == self.tile.mask_words
        last_row = window.ky + 1 == self.instruction.kernel_height
        last_tap = last_row & (window.kx + 1 == self.instruction.kernel_width)
        last_of_two = window.number == 1
        last_of_simd = Mux(self._two_maps, last_of_two, last_tap)
        chunk_full = vectors.number + 1 == self._conv.chunk_vectors
        m.d.comb += [
            ends.vector.eq(Mux(self._is_simd, last_of_simd, last_in_tile)),
            ends.group.eq(vectors.number + 1 == vectors.left),
            ends.chunk.eq(ends.group | (~self._is_simd & chunk_full)),
            ends.core.eq(Mux(self._is_simd, words_left == 1, self.tile.last_group)),
        ]
        return ends

    def _count_words(self, m: Module, words_left: Signal, *, ends: Ends, taken: Value) -> Signal:
        """Return the channel word of a SIMD step, which follows the one before."""
        simd_word = Signal.like(self.work.word_first, name="simd_word")
        m.d.comb += self.word_done.eq(self._is_simd & taken & ends.vector & ends.group)
        with m.If(self.word_done):
            step = Mux(self._is_row, self.instruction.kernel_width, 1) if self._walk else 1
            m.d.sync += [simd_word.eq(simd_word + step), words_left.eq(words_left - 1)]
        with m.If(self.go):
            m.d.sync += [simd_word.eq(self.work.word_first), words_left.eq(self.work.word_count)]
        return simd_word

    def _step_window(
        self, m: Module, window: Window, *, ends: Ends, simd_word: Value, taken: Value
    ) -> None:
        """Drive the window's place of the word on offer: from the tile's start, or from 0."""
        tile, simd = self.tile, self._is_simd
        starts = (
            Mux(simd, 0, tile.kernel_y),
            Mux(simd, 0, tile.kernel_x),
            Mux(simd, simd_word, tile.channel_word),
        )
        later = [Signal.like(now, name=f"next_{now.name}") for now in window[1:]]
        for now, start, register in zip(window[1:], starts, later, strict=True):
            m.d.comb += now.eq(Mux(window.number == 0, start, register))
        pixel_ends = simd | (window.word + 1 == self.instruction.input_channel_words)
        row_ends = pixel_ends & (window.kx + 1 == self.instruction.kernel_width)
        with m.If(taken):
            m.d.sync += [
                window.number.eq(Mux(ends.vector, 0, window.number + 1)),
                later[0].eq(window.ky + row_ends),
                later[1].eq(Mux(row_ends, 0, window.kx + pixel_ends)),
                later[2].eq(Mux(simd, simd_word, Mux(pixel_ends, 0, window.word + 1))),
            ]

    def _next_vector(self, m: Module, *, vectors: VectorCounters, ends: Ends) -> None:
        """Step to the position vector that the next word belongs to."""
        following = self._following(m, vectors.now)
        last_tile = self._is_simd | self.tile.last
        m.d.comb += self.tile_done.eq(~self._is_simd & ends.chunk)
        m.d.sync += [
            vectors.now.eq(following),
            vectors.number.eq(Mux(ends.chunk, 0, vectors.number + 1)),
        ]
        with m.If(ends.chunk & ~last_tile):
            m.d.sync += vectors.now.eq(vectors.chunk)
        with m.Elif(ends.group):
            m.d.sync += [
                vectors.now.eq(self._first_place()),
                vectors.chunk.eq(self._first_place()),
                vectors.left.eq(self.work.vectors),
            ]
            with m.If(ends.core):
                m.d.sync += [self.walking.eq(0), self._over.eq(1)]
        with m.Elif(ends.chunk):
            m.d.sync += [
                vectors.chunk.eq(following),
                vectors.left.eq(vectors.left - self._conv.chunk_vectors),
            ]

    def _following(self, m: Module, now: data.View) -> data.View:
        """Return the first position of the next vector: to the right, else below, else next image.

        A vector is M columns wide, or as a patch M / 2 columns and 2 rows.
        """
        instruction, macros = self.instruction, len(self.request.payload.pixels)
        following = Signal(place(), name="following")
        across = now.x + Mux(instruction.patch, macros // 2, macros)
        down = now.y + Mux(instruction.patch, 2, 1)
        row_ends = across >= instruction.output_width
        map_ends = row_ends & (down >= instruction.output_end_row)
        below = Mux(map_ends, instruction.output_first_row, down)
        m.d.comb += [
            following.x.eq(Mux(row_ends, 0, across)),
            following.y.eq(Mux(row_ends, below, now.y)),
            following.image.eq(now.image + map_ends),
        ]
        return following

    def _offered(
        self, m: Module, *, window: Window, vectors: VectorCounters, ends: Ends, taken: Value
    ) -> data.View:
        """Return the request of the word on offer, for every macro."""
        m.submodules.vector_pixels = pixels = self._pixels.instance()
        request = Signal.like(self.request.payload, name="offered")
        tile, tag, simd = self.tile, request.tag, request.simd
        taps = self._taps(m, pixels, window=window, ends=ends, taken=taken)
        m.d.comb += [
            pixels.instruction.eq(self.instruction),
            pixels.work.eq(self.work),
            pixels.first.eq(vectors.now),
            pixels.turn.eq(Mux(self._is_simd, 0, tile.turn)),
            pixels.at_output.eq(taps.at_output),
            pixels.second.eq(taps.second),
            pixels.ky.eq(window.ky),
            pixels.kx.eq(window.kx),
            pixels.word.eq(taps.word),
            request.pixels.eq(pixels.pixels),
            request.positions.eq(pixels.positions),
            *self._place(tag, window=window, ends=ends),
            tag.tile.eq(self.tile_slot),
            tag.first.eq(tile.first),
            tag.last.eq(tile.last),
            tag.tile_end.eq(ends.chunk),
            tag.vector.eq(vectors.number),
            self._row(tag, window=window),
            simd.first.eq(taps.first),
            simd.last.eq(ends.vector),
            simd.second.eq(taps.second),
            simd.word_end.eq(ends.vector & ends.group),
            simd.tap.eq(taps.number),
            simd.plane.eq(window.kx),
            simd.word.eq(window.word),
        ]
        return request

    def _place(self, tag: data.View, *, window: Window, ends: Ends) -> list[Any]:
        """Return the assignments of mask and place of the word; without a switch of its group."""
        if not self._arch.sparse_parts:
            return [tag.start.eq(window.number == 0), tag.end.eq(ends.vector)]
        return [
            self.mask_index.eq(self.tile_mask_base + window.number),
            tag.mask.eq(self.mask),
            tag.vector_end.eq(ends.vector),
        ]

    def _row(self, tag: data.View, *, window: Window) -> Any:
        """Return the assignment of the row that the tile, or without a switch the word, meets."""
        if not self._arch.sparse_parts:
            return tag.row.eq(self.tile_row_base + window.number)
        return tag.row_base.eq(self.tile_row_base)

    def _taps(
        self, m: Module, pixels: PartInstance, *, window: Window, ends: Ends, taken: Value
    ) -> Tap:
        """Return what the word on offer is to the SIMD unit."""
        of_two = self._two_maps & (window.number == 1)
        plain = Tap(window.number == 0, of_two, window.number, window.word, self._two_maps)
        if self._walk is None or self._placed is None:
            return plain
        m.submodules.product_walk = walk = self._walk.instance()
        m.d.comb += [
            walk.instruction.eq(self.instruction),
            walk.go.eq(self.go),
            walk.first_word.eq(Mux(self._is_product, self.work.word_first, 0)),
            self._placed.eq(walk.ready),
            walk.taken.eq(taken & self._is_product),
            walk.row.eq(window.ky),
            walk.column.eq(window.kx),
            walk.result_word.eq(window.word),
            walk.result_end.eq(ends.vector),
            walk.word_end.eq(ends.group),
            pixels.met.eq(walk.met),
        ]
        product = Tap(walk.first, walk.second, walk.number, walk.word, Const(1))
        # The window of the row unit: passes, and words of a group.
        word = window.word + window.kx
        row = Tap(window.number == 0, Const(0), window.number, word, Const(1))
        chosen = Tap(
            *(Signal.like(each, name=f"tap_{name}") for name, each in plain._asdict().items())
        )
        m.d.comb += [
            signal.eq(Mux(self._is_product, of_two, Mux(self._is_row, of_row, other)))
            for signal, of_two, of_row, other in zip(chosen, product, row, plain, strict=True)
        ]
        return chosen
