"""Receiver: flits of one provider become words of the rings of its readers in this macro."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose_below
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.layouts import COUNT_BITS, TRAVEL_BITS, flit, header
from hwgen.crossbar.rtl.packer import Packer


def ring(words: int) -> data.StructLayout:
    """A region of a scratchpad of `words` words, constant: first and last word."""
    bits = bits_for_index(words)
    return data.StructLayout({"first": bits, "last": bits})


class Receiver(Part):
    """Takes the packets of one travel and writes them behind each other into rings.

    Parameters
    ----------
        chip   sizes of flits and words
        words  of the scratchpad
        rings  that each word is written to, one after the other
    Ports
        link      in   flit         what comes from the router
        travel    in   travel_bits  constant: number of the travel
        rings     in   rings x ring constant: where the words go
        want      out  1            at the port of the scratchpad
        word      out  word_bits
        enables   out  elements
        data      out  elements x bits
        granted   in   1
        overflow  out  1            a word came before the one before it was written
    Latency  3 from the last flit of a word to ``want``
    Rate     a flit in each cycle; a word must be written to all rings before the next one comes
    Errors   ``overflow``
    Golden   the elements in their order
    Source   docs/crossbar-rules.md, "What may not happen": port
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, words: int, rings: int) -> None:
        self._chip, self._words, self._rings = chip, words, rings
        self._elements, self._bits = chip.word_elements, chip.activation_bits
        self._packer = Packer(chunk=chip.flit_elements, word=self._elements, bits=self._bits)
        self.parts = [self._packer]
        super().__init__(
            {
                "link": In(flit(chip)),
                "travel": In(TRAVEL_BITS),
                "rings": In(data.ArrayLayout(ring(words), rings)),
                "want": Out(1),
                "word": Out(bits_for_index(words)),
                "enables": Out(self._elements),
                "data": Out(self._elements * self._bits),
                "granted": In(1),
                "overflow": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{len(self.word)}r{self._rings}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chunk = self._chip.flit_elements
        m.submodules.packer = packer = self._packer.instance()
        head = Signal(header(self._chip))
        mine, left, at = Signal(), Signal(COUNT_BITS), Signal(range(self._elements))
        taken = Signal(range(chunk + 1))
        m.d.comb += [
            Cat(head).eq(self.link.data),
            taken.eq(Mux(left < chunk, left, chunk)),
            packer.valid.eq(self.link.valid & ~self.link.head & mine & (left != 0)),
            packer.data.eq(self.link.data),
            packer.count.eq(taken),
            packer.last.eq(left <= chunk),
            packer.at.eq(at),
        ]
        with m.If(self.link.valid & self.link.head):
            m.d.sync += [mine.eq(head.travel == self.travel), left.eq(head.count)]
        with m.If(packer.valid):
            m.d.sync += [left.eq(left - taken), at.eq(self._forward(at, taken))]
        self._write(m, packer=packer)
        return m

    def _forward(self, at: Signal, taken: Signal) -> Mux:
        """Return the place in a word behind some elements."""
        end = at + taken
        return Mux(end >= self._elements, end - self._elements, end)

    def _write(self, m: Module, *, packer: PartInstance) -> None:
        """Write the words that the packer gives, each to one ring after the other."""
        waiting = Signal(range(3))
        word = data.StructLayout({"data": len(self.data), "enables": self._elements})
        first, second, given = Signal(word), Signal(word), Signal(word)
        place = Signal(range(max(2, self._rings)))
        index = Signal(data.ArrayLayout(bits_for_index(self._words), self._rings))
        done = self.granted & (place == self._rings - 1)
        m.d.comb += [
            given.data.eq(packer.word_data),
            given.enables.eq(packer.enables),
            self.want.eq(waiting != 0),
            self.enables.eq(first.enables),
            self.data.eq(first.data),
            self.word.eq(
                choose_below([self.rings[k].first + index[k] for k in range(self._rings)], place)
            ),
            self.overflow.eq(packer.word_valid & (waiting == 2)),
        ]
        with m.If(self.granted):
            m.d.sync += place.eq(Mux(done, 0, place + 1))
        with m.If(done):
            m.d.sync += first.eq(second)
            with m.If(first.enables[-1]):
                for k in range(self._rings):
                    ends = self.rings[k].first + index[k] == self.rings[k].last
                    m.d.sync += index[k].eq(Mux(ends, 0, index[k] + 1))
        with m.If(packer.word_valid):
            with m.If((waiting == 0) | ((waiting == 1) & done)):
                m.d.sync += first.eq(given)
            with m.Else():
                m.d.sync += second.eq(given)
        m.d.sync += waiting.eq(waiting + packer.word_valid - done)
