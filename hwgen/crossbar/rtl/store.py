"""Store: the results of a block go into the ring of their layer."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.receiver import ring
from hwgen.crossbar.rtl.shifts import below

BLOCKS = 24
"""Bits of the blocks of an image."""


class Store(Part):
    """Writes the words of a block, of which the first and the last may be shared with others.

    Parameters
    ----------
        words     of the scratchpad
        word      elements of a word
        elements  of the longest block
    Ports
        go          in   1             the strobe
        half        in   1             parity of the block, valid with it
        ring        in   ring          constant: where blocks lie behind each other
        blocks      in   24            constant: of an image
        elements    in   element_bits  constant: of a block
        last        in   element_bits  constant: of the last block of an image
        read_index  out  index_bits    word of the block, in `Results`
        read_half   out  1
        want        out  1             at the port of the scratchpad
        word        out  word_bits
        enables     out  word
        granted     in   1
        late        out  1             ``go`` before the block before is through
    Latency  1 from ``go`` to the first ``want``
    Rate     a word in each cycle
    Errors   ``late``
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: store
    """

    family = "crossbar"

    def __init__(self, *, words: int, word: int, elements: int) -> None:
        self._words, self._word, self._elements = words, word, elements
        bits = (elements + word).bit_length()
        self._index_bits = bits_for_index((elements + word - 2) // word + 1)
        super().__init__(
            {
                "go": In(1),
                "half": In(1),
                "ring": In(ring(words)),
                "blocks": In(BLOCKS),
                "elements": In(bits),
                "last": In(bits),
                "read_index": Out(self._index_bits),
                "read_half": Out(1),
                "want": Out(1),
                "word": Out(bits_for_index(words)),
                "enables": Out(word),
                "granted": In(1),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{len(self.word)}x{self._word}e{len(self.elements)}i{self._index_bits}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shift = self._word.bit_length() - 1
        block, index = Signal(BLOCKS), Signal.like(self.word)
        at, end = Signal(range(self._word)), Signal.like(self.elements)
        # Of the word that is asked for: its first element of the block, and the one behind.
        first, behind = Signal.like(at), Signal(range(self._word + 1))
        bits = len(self.read_index)
        count = Mux(block == self.blocks - 1, self.last, self.elements)
        last_word = self.read_index == ((end - 1) >> shift)
        m.d.comb += [
            self.word.eq(self.ring.first + index),
            first.eq(Mux(self.read_index == 0, at, 0)),
            behind.eq(Mux(self.read_index == end >> shift, end[:shift], self._word)),
            self.enables.eq(below(behind, self._word) & ~below(first, self._word)),
            self.late.eq(self.go & self.want & ~(self.granted & last_word)),
        ]
        with m.If(self.granted):
            m.d.sync += self.read_index.eq((self.read_index + 1)[:bits])
            with m.If(~last_word | (end[:shift] == 0)):
                wraps = self.word == self.ring.last
                m.d.sync += index.eq(Mux(wraps, 0, index + 1))
            with m.If(last_word):
                m.d.sync += [self.want.eq(0), at.eq(end)]
        with m.If(self.go):
            m.d.sync += [
                self.want.eq(1),
                self.read_index.eq(0),
                self.read_half.eq(self.half),
                end.eq(Mux(self.want, end[:shift], at) + count),
                block.eq(Mux(block == self.blocks - 1, 0, block + 1)),
            ]
        return m
