"""Buffer of an answer between the DPU and the memory port.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Cat, ClockSignal, Module, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import within
from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl.layouts import answer_write


class AnswerBuffer(Part):
    """Stores a block of elements a cycle; the write engine reads them by beats of the memory port.

    ``elements[index * block + lane] = data[lane]`` where bit `lane` of the mask is 1.
    ``read_data`` = the elements of beat ``read_index``, the first one lowest.

    Ports
        write_valid  in   1             a block of results comes
        write        in   answer_write
        read_index   in   beat_bits     beat, of port_bits / answer_bits elements
        read_data    out  port_bits     two's complement each
    Latency  0 from ``read_index`` to ``read_data``; what is written is seen in the next cycle
    Rate     one block in and one beat out in each cycle
    Errors   none; an element never written holds garbage
    Golden   indexing
    Source   docs/mram-microarchitecture.md, "Answers"
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._beat_entries = arch.port_bits // arch.answer_bits
        self._row_entries = max(arch.block, self._beat_entries)
        self._file = RegisterFile(
            family=self.family,
            depth=max(2, arch.answer_entries // self._row_entries),
            width=arch.answer_bits,
        )
        self.parts = [self._file]
        super().__init__(
            {
                "write_valid": In(1),
                "write": In(answer_write(arch)),
                "read_index": In(bits_for_index(arch.answer_entries // self._beat_entries)),
                "read_data": Out(arch.port_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        block, bits = self._arch.block, self._arch.answer_bits
        block_bits = (self._row_entries // block).bit_length() - 1
        count = self._row_entries // self._beat_entries
        row: list[Value] = []
        for number in range(self._row_entries):
            place, lane = divmod(number, block)
            m.submodules[f"entries_{number}"] = file = self._file.instance()
            here = self.write.index[:block_bits] == place if block_bits else 1
            m.d.comb += [
                file.clk.eq(ClockSignal()),
                file.write_en.eq(self.write_valid & self.write.mask[lane] & here),
                file.write_index.eq(self.write.index[block_bits:]),
                file.write_data.eq(self.write.data.word_select(lane, bits)),
                file.read_index.eq(self.read_index[count.bit_length() - 1 :]),
            ]
            row.append(file.read_data)
        beats = [
            Cat(row[first : first + self._beat_entries])
            for first in range(0, len(row), self._beat_entries)
        ]
        m.d.comb += self.read_data.eq(choose(beats, self.read_index))
        entries = self._arch.answer_entries
        within(m, "a block", self.write.index, entries // block, when=self.write_valid)
        within(m, "read_index", self.read_index, entries // self._beat_entries)
        return m
