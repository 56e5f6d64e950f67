"""Packer: chunks of elements become words, from any position on."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.crossbar.rtl.shifts import below, moved_up


class Packer(Part):
    """Puts elements side by side into words; the first element of a block stands at `at`.

    Parameters
    ----------
        chunk    elements that come in a clock, at most; not more than a word has
        word     elements of a word
        bits     of an element
    Ports
        valid       in   1
        data        in   chunk x bits  the first element lowest
        count       in   count_bits    elements that are there, 0 to ``chunk``
        last        in   1             the block ends with this chunk
        at          in   at_bits       valid with the first chunk of a block: its place in a word
        word_valid  out  1             in the next cycle; of the last chunk of a block also in the
                                       one behind, if it begins another word
        word_data   out  word x bits   elements that are not of the block are 0
        enables     out  word          elements of the word that are of the block
        word_last   out  1             no other word of the block follows
    Latency  1 from the chunk that fills a word, or is the last one
    Rate     one chunk in each cycle; none in the cycle behind the last one
    Errors   none
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: pixel p of a map lies at p x channels in its ring
    """

    family = "crossbar"

    def __init__(self, *, chunk: int, word: int, bits: int) -> None:
        if chunk > word:
            raise ValueError(f"chunk must be at most a word of {word} elements, got {chunk}")
        self._chunk, self._word, self._bits = chunk, word, bits
        super().__init__(
            {
                "valid": In(1),
                "data": In(chunk * bits),
                "count": In(range(chunk + 1)),
                "last": In(1),
                "at": In(range(word)),
                "word_valid": Out(1),
                "word_data": Out(word * bits),
                "enables": Out(word),
                "word_last": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._chunk}x{self._word}x{self._bits}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, word = self._bits, self._word
        begun, flush = Signal(), Signal()
        place, here, start = Signal(range(word)), Signal(range(word)), Signal(range(word))
        rest, first = Signal(self._chunk * bits), Signal(range(word))
        held = Signal(word * bits)
        both = Signal((word + self._chunk) * bits)
        end = Signal(range(2 * word + 1))
        known = self.data & below(self.count, self._chunk, unit=bits)
        m.d.comb += [
            here.eq(Mux(begun, place, self.at)),
            start.eq(Mux(begun, first, self.at)),
            both.eq(held | moved_up(known, here, unit=bits)),
            end.eq(here + self.count),
            rest.eq(both[word * bits :]),
        ]
        full = end >= word
        m.d.sync += [self.word_valid.eq(0), self.word_last.eq(0), flush.eq(0)]
        with m.If(self.valid):
            m.d.sync += [
                begun.eq(~self.last),
                place.eq(Mux(full, end - word, end)),
                held.eq(Mux(full, rest, Mux(self.last, 0, both[: word * bits]))),
                self.word_valid.eq(full | self.last),
                self.word_data.eq(both[: word * bits]),
                self.enables.eq(~below(start, word) & below(end, word)),
                first.eq(Mux(full, 0, start)),
                self.word_last.eq(self.last & (end <= word)),
                flush.eq(self.last & (end > word)),
            ]
        with m.If(flush):
            m.d.sync += [
                held.eq(0),
                self.word_valid.eq(1),
                self.word_data.eq(held),
                self.enables.eq(below(place, word)),
                self.word_last.eq(1),
            ]
        return m
