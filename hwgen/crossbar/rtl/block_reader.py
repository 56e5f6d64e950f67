"""Block reader: the elements of a block of a ring, in words that begin with its first one.

Tests: `tests/verif/crossbar/test_parts.py`.
"""

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds, in_range, within_count
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.layouts import ring
from hwgen.crossbar.rtl.pad import BLOCKS, Packer
from hwgen.crossbar.rtl.shifts import moved_down


class BlockReader(Part):
    """Reads the words of a block from a ring and keeps it, as one of two.

    Parameters
    ----------
        chip      sizes of words
        words     of the scratchpad
        elements  of the longest block
    Ports
        go          in   1             the strobe
        half        in   1             parity of the block, valid with it
        ring        in   ring          constant: where blocks lie behind each other
        blocks      in   24            constant: of an image
        elements    in   element_bits  constant: of a block
        last        in   element_bits  constant: of the last block of an image
        want        out  1             at the port of the scratchpad
        word        out  word_bits
        granted     in   1
        read_data   in   word x bits   in the cycle behind a grant
        count       out  element_bits  elements of the block
        whole       out  1             the block is there from the next cycle on
        kept_index  in   index_bits    word of a block
        kept_half   in   1             parity of that block
        kept        out  word x bits   in the same cycle
        late        out  1             ``go`` before the block before is read
    Latency  1 from ``go`` to the first ``want``, 3 from the last grant to ``whole``
    Rate     a word in each cycle
    Errors   ``late``
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: load, send
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, words: int, elements: int) -> None:
        self._chip, self._words, self._elements = chip, words, elements
        self._words = words
        word, bits = chip.word_elements, chip.activation_bits
        self._index_bits = bits_for_index(-(-elements // word))
        self._memory = RegisterFile(
            family=self.family, depth=2 << self._index_bits, width=word * bits
        )
        self._packer = Packer(chunk=word, word=word, bits=bits)
        self.parts = [self._memory, self._packer]
        element_bits = (elements + word).bit_length()
        super().__init__(
            {
                "go": In(1),
                "half": In(1),
                "ring": In(ring(words)),
                "blocks": In(BLOCKS),
                "elements": In(element_bits),
                "last": In(element_bits),
                "want": Out(1),
                "word": Out(bits_for_index(words)),
                "granted": In(1),
                "read_data": In(word * bits),
                "count": Out(range(elements + 1)),
                "whole": Out(1),
                "kept_index": In(self._index_bits),
                "kept_half": In(1),
                "kept": Out(word * bits),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        widths = len(self.word), len(self.elements), len(self.count), self._index_bits
        return "x".join(map(str, widths))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = self._memory.instance()
        m.submodules.packer = packer = self._packer.instance()
        elements, shift = self._chip.word_elements, self._chip.word_elements.bit_length() - 1
        block, index, half = Signal(BLOCKS), Signal.like(self.word), Signal(name="half_kept")
        at, left, stored = (
            Signal(range(elements)),
            Signal.like(self.count),
            Signal(self._index_bits),
        )
        room, opens, next_half = Signal(range(elements + 1)), Signal(), Signal()
        taken = Mux(left < room, left, room)
        ends = left <= room
        m.d.comb += [
            self.word.eq(self.ring.first + index),
            room.eq(elements - at),
            self.late.eq(self.go & self.want),
        ]
        # cycle 0: read
        offset, arrived = Signal.like(at), Signal()
        number, last = Signal(range(elements + 1)), Signal(name="last_read")
        m.d.sync += [arrived.eq(self.granted), offset.eq(at), number.eq(taken), last.eq(ends)]
        with m.If(self.granted):
            m.d.sync += [left.eq(left - taken), at.eq((at + taken)[:shift])]
            with m.If(at + taken == elements):
                m.d.sync += index.eq(Mux(self.word == self.ring.last, 0, index + 1))
            with m.If(ends):
                m.d.sync += self.want.eq(0)
        with m.If(self.go):
            size = Mux(block == self.blocks - 1, self.last, self.elements)
            m.d.sync += [
                self.want.eq(1),
                left.eq(size),
                self.count.eq(size),
                block.eq(Mux(block == self.blocks - 1, 0, block + 1)),
            ]
        # cycle 1: the word is there; shift its first element to the first place
        bits = self._chip.activation_bits
        first = moved_down(self.read_data, offset, unit=bits, keep=len(self.read_data))
        # cycle 2: a whole word of the block
        m.d.comb += [
            packer.valid.eq(arrived),
            packer.data.eq(first),
            packer.count.eq(number),
            packer.last.eq(last),
            packer.at.eq(0),
            memory.clk.eq(ClockSignal()),
            memory.write_en.eq(packer.word_valid),
            memory.write_index.eq(Cat(stored, half)),
            memory.write_data.eq(packer.word_data),
            memory.read_index.eq(Cat(self.kept_index, self.kept_half)),
            self.kept.eq(memory.read_data),
            self.whole.eq(packer.word_valid & packer.word_last),
        ]
        with m.If(packer.word_valid):
            m.d.sync += stored.eq(stored + 1)
        # The last word of the block before may still be on its way when this one begins.
        with m.If(arrived & opens):
            m.d.sync += [opens.eq(0), stored.eq(0), half.eq(next_half)]
        with m.If(self.go):
            m.d.sync += [opens.eq(1), next_half.eq(self.half)]
        in_range(m, "room", room, elements, least=1)
        holds(m, "word", valid=self.want, ready=self.granted, payload=self.word, unless=self.go)
        within_count(m, "word", self.word, self.ring.last + 1, when=self.want)
        return m
