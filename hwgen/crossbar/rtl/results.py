"""Results: elements of a block on their way from the requantizer to a ring or to a link."""

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.packer import Packer


class Results(Part):
    """Words of two blocks, packed as they will stand in the ring.

    Blocks lie behind each other in the ring: each begins in its first word where the one before
    ended in its last.

    Parameters
    ----------
        chunk     elements of a clock
        elements  of the longest block
        word      elements of a word; bits: of an element
        aligned   each block begins with a word, as on a link
    Ports
        valid, data, count, last, opens, data_half  in  chunks, see `Requantizer`
        read_index  in   index_bits  word of the block
        read_half   in   1           parity of the block
        read_data   out  word x bits in the same cycle
    Latency  2 from the last chunk to its words, 3 where the block ends in another word
    Rate     one chunk in each cycle
    Errors   none
    Golden   the elements in their order
    Source   docs/crossbar-chip.md, "Results"
    """

    family = "crossbar"

    def __init__(self, *, chunk: int, elements: int, word: int, bits: int, aligned: bool) -> None:
        self._chunk, self._word, self._bits, self._aligned = chunk, word, bits, aligned
        words = (elements + word - 2) // word + 1
        self._index_bits = bits_for_index(words)
        self._packer = Packer(chunk=chunk, word=word, bits=bits)
        self._memory = RegisterFile(
            family=self.family, depth=2 << self._index_bits, width=word * bits
        )
        self.parts = [self._packer, self._memory]
        super().__init__(
            {
                "valid": In(1),
                "data": In(chunk * bits),
                "count": In(range(chunk + 1)),
                "last": In(1),
                "opens": In(1),
                "data_half": In(1),
                "read_index": In(self._index_bits),
                "read_half": In(1),
                "read_data": Out(word * bits),
            }
        )

    @property
    def size_suffix(self) -> str:
        kind = "a" if self._aligned else ""
        return f"{self._chunk}x{self._word}x{self._bits}w{1 << self._index_bits}{kind}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.packer = packer = self._packer.instance()
        m.submodules.memory = memory = self._memory.instance()
        at, index, half = Signal(range(self._word)), Signal(self._index_bits), Signal()
        end = at + self.count
        m.d.comb += [
            packer.valid.eq(self.valid),
            packer.data.eq(self.data),
            packer.count.eq(self.count),
            packer.last.eq(self.last),
            packer.at.eq(at),
            memory.clk.eq(ClockSignal()),
            memory.write_en.eq(packer.word_valid),
            memory.write_index.eq(Cat(index, half)),
            memory.write_data.eq(packer.word_data),
            memory.read_index.eq(Cat(self.read_index, self.read_half)),
            self.read_data.eq(memory.read_data),
        ]
        if not self._aligned:
            with m.If(self.valid):
                m.d.sync += at.eq(Mux(end >= self._word, end - self._word, end))
        with m.If(packer.word_valid):
            m.d.sync += index.eq(index + 1)
        with m.If(self.valid & self.opens):
            m.d.sync += [index.eq(0), half.eq(self.data_half)]
        return m
