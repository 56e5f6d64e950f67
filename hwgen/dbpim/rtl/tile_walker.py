"""Walks the words of tiles in a core whose input words another core reads.

Tests: `tests/verif/dbpim/test_shared_stream.py`.
"""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds_payload, must
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.timing import TILE_SLOTS
from hwgen.dbpim.rtl import layouts


class TileWalker(Part):
    """The loops of a CONV without addresses: filter groups, chunks, tiles, vectors, words.

    ``Walker`` of core 0 says where the words lie; this one says which mask and which rows each
    meets in this core.

    Ports
        instruction     in      CONV      constant while the walker walks
        work            in      work      of this core, constant too
        go              in      1         start the step of ``instruction``
        finish          in      1         the step is over in all cores: clear ``done``
        tile_known      in      1         the tile to walk has its header and masks
        tile            in      TILE      its header
        tile_slot       in      slot_bits
        tile_mask_base  in      mask_bits its first mask word
        mask_index      out     mask_bits the mask word of the next word
        mask            in      C         that mask word
        tile_row_base   in      row_bits  its first row
        tile_done       out     1         its last word is taken in this cycle
        request         stream  word_tag  a register
        walking         out     1         started, and words are left
        done            out     1         all requests of the step are taken, until ``finish``
        waits_for_load  out     1         no request because no tile is known
    Latency  with ``go`` at t the first word is taken in at t + 1 if its tile is known; a request
             is there in the cycle after its word was taken in
    Rate     one request in each cycle; no gap between tiles, chunks and filter groups
    Errors   none: a core that takes part has at least one position vector, a tile at least one word
    Golden   ``verif.dbpim.walk_plan``
    Source   seed 002, V-B: all switches share the input data
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        mask_bits = bits_for_index(arch.mask_words)
        super().__init__(
            {
                "instruction": In(layouts.packet(Opcode.CONV, arch)),
                "work": In(layouts.work()),
                "go": In(1),
                "finish": In(1),
                "tile_known": In(1),
                "tile": In(layouts.tile(arch)),
                "tile_slot": In(bits_for_index(TILE_SLOTS)),
                "tile_mask_base": In(mask_bits),
                "tile_row_base": In(bits_for_index(arch.macro.rows)),
                "mask_index": Out(mask_bits),
                "mask": In(arch.word),
                "tile_done": Out(1),
                "request": Out(stream.Signature(layouts.word_tag(arch))),
                "walking": Out(1),
                "done": Out(1),
                "waits_for_load": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        taken, over = Signal(), Signal()
        word = Signal.like(self.tile.mask_words, name="word")
        vector, left = (Signal(len(self.work.vectors), name=name) for name in ("vector", "left"))
        vector_end, group_end, chunk_end = Signal(), Signal(), Signal()
        m.d.comb += [
            self.waits_for_load.eq(self.walking & ~self.tile_known),
            taken.eq(self.walking & self.tile_known & (~self.request.valid | self.request.ready)),
            self.done.eq(over & ~self.request.valid),
            self.mask_index.eq(self.tile_mask_base + word),
            vector_end.eq(word + 1 == self.tile.mask_words),
            group_end.eq(vector + 1 == left),
            chunk_end.eq(group_end | (vector + 1 == self.instruction.chunk_vectors)),
            self.tile_done.eq(taken & vector_end & chunk_end),
        ]
        with m.If(taken | self.request.ready):
            m.d.sync += self.request.valid.eq(taken)
        with m.If(taken):
            m.d.sync += word.eq(Mux(vector_end, 0, word + 1))
            self._offer(m, vector_end=vector_end, chunk_end=chunk_end, vector=vector)
        with m.If(taken & vector_end):
            m.d.sync += vector.eq(Mux(chunk_end, 0, vector + 1))
        with m.If(self.finish):
            m.d.sync += [self.walking.eq(0), over.eq(0)]
        with m.If(self.tile_done & self.tile.last):
            m.d.sync += left.eq(left - self.instruction.chunk_vectors)
            with m.If(group_end):
                m.d.sync += left.eq(self.work.vectors)
            with m.If(group_end & self.tile.last_group):
                m.d.sync += [self.walking.eq(0), over.eq(1)]
        with m.If(self.go):
            m.d.sync += [self.walking.eq(1), left.eq(self.work.vectors)]
        holds_payload(m, "request", self.request)
        must(m, ~self.walking, "a step may begin only after the one before", when=self.go)
        return m

    def _offer(self, m: Module, *, vector_end: Value, chunk_end: Value, vector: Value) -> None:
        """Register the tag of the word that is taken."""
        tag, tile = self.request.payload, self.tile
        m.d.sync += [
            tag.mask.eq(self.mask),
            tag.vector_end.eq(vector_end),
            tag.tile.eq(self.tile_slot),
            tag.first.eq(tile.first),
            tag.last.eq(tile.last),
            tag.tile_end.eq(chunk_end),
            tag.vector.eq(vector),
            tag.row_base.eq(self.tile_row_base),
        ]
