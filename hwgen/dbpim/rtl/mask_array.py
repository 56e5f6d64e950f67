"""The mask register file of a core: a ring that takes a whole beat of mask words at once.

Tests: `tests/verif/dbpim/test_parts.py`.
"""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch


def mask_words_per_beat(arch: Arch) -> int:
    """Return the mask words of a beat of the memory port, at most all words of the ring."""
    return min(arch.port_bits // arch.word, arch.mask_words)


class MaskArray(Part):
    """Ring of mask words; consecutive words go to different register files, so a beat fits at once.

    ``words[(write_index + i) mod mask_words] = write_data[i]`` for ``i < write_count``
    ``read_data = words[read_index]``, as it was before the clock edge

    Ports
        clk          in   1           rising edge; there is no reset
        write_count  in   count_bits  unsigned, words to store, up to ``mask_words_per_beat``
        write_index  in   index_bits  unsigned, where the first of them goes
        write_data   in   words x C   mask words of a beat, the first one lowest
        read_index   in   index_bits  unsigned
        read_data    out  C           bit c: input c of the word is selected
    Latency  0 from ``read_index`` to ``read_data``; what is written is seen in the next cycle
    Rate     one read and one write in each cycle
    Errors   none: a word never written holds garbage
    Golden   indexing
    Source   seed 002, V-B: mask register file
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._beat_words = beat_words = mask_words_per_beat(arch)
        self._bits = bits = arch.word
        # An address has at least one bit, so there are two words where one would do.
        depth = max(2, arch.mask_words // beat_words)
        self._word_file = RegisterFile(family=self.family, depth=depth, width=bits)
        self.parts = [self._word_file]
        index_bits = bits_for_index(arch.mask_words)
        super().__init__(
            {
                "clk": In(1),
                "write_count": In(bits_for_index(beat_words + 1)),
                "write_index": In(index_bits),
                "write_data": In(data.ArrayLayout(bits, beat_words)),
                "read_index": In(index_bits),
                "read_data": Out(bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat_words, bits = self._beat_words, self._bits
        # One word a beat has no bit of the index: `bits_for_index` would say 1.
        file_bits = (beat_words - 1).bit_length()
        index_bits = len(self.write_index)
        first_file = self.write_index[:file_bits]
        # Rotate the beat so that its first word meets the register file of `write_index`.
        shifted = self.write_data.as_value() << Cat(Const(0, (bits - 1).bit_length()), first_file)
        rotated = Signal(data.ArrayLayout(bits, beat_words))
        m.d.comb += rotated.eq(shifted[: bits * beat_words] | shifted[bits * beat_words :])
        words = []
        for index in range(beat_words):
            m.submodules[f"words_{index}"] = word_file = self._word_file.instance()
            row = self.write_index + (beat_words - 1 - index)
            place = (Const(index, file_bits) - first_file)[:file_bits]
            m.d.comb += [
                word_file.clk.eq(self.clk),
                word_file.write_en.eq(place < self.write_count),
                # Files below the first one take their word one row further.
                word_file.write_index.eq(row[file_bits:index_bits]),
                word_file.write_data.eq(rotated[index]),
                word_file.read_index.eq(self.read_index[file_bits:]),
            ]
            words.append(word_file.read_data)
        m.d.comb += self.read_data.eq(choose(words, self.read_index))
        return m
