"""Buffer of an image's logits between the write bus and the memory port."""

from amaranth.hdl import ClockSignal, Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.rtl.common.choose import choose
from hwgen.rtl.common.register_file import RegisterFile
from hwgen.rtl.dbpim.layouts import bus_write
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import ACCUMULATOR_BITS, Arch
from hwgen.spec.widths import bits_for_index


class LogitBuffer(Part):
    """Stores F logits a cycle; the write engine reads them by beats of the memory port.

    ``logits[address + f] = data[f]`` for a bus word with `raw`; ``read_data`` = the logits of beat
    ``read_index``, the first one lowest.

    Ports
        write_valid  in   1          a word is on the bus; only those with `raw` are stored
        write        in   bus_write  address: index of the first logit, a multiple of F
        read_index   in   beat_bits  beat, of port_bits / 32 logits
        read_data    out  port_bits  int32 each
    Latency  0 from ``read_index`` to ``read_data``; what is written is seen in the next cycle
    Rate     F logits in and one beat out in each cycle
    Errors   none; a logit never written holds garbage
    Golden   indexing
    Source   docs/dbpim-microarchitecture.md, "output_stage"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._beat_words = arch.port_bits // ACCUMULATOR_BITS
        self._row_words = max(arch.filters, self._beat_words)
        rows = max(2, arch.logit_entries // self._row_words)
        self._file = RegisterFile(family=self.family, depth=rows, width=ACCUMULATOR_BITS)
        self.parts = [self._file]
        super().__init__(
            {
                "write_valid": In(1),
                "write": In(bus_write(arch)),
                "read_index": In(bits_for_index(arch.logit_entries // self._beat_words)),
                "read_data": Out(arch.port_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        filters, row_words = self._arch.filters, self._row_words
        row_bits, filter_bits = row_words.bit_length() - 1, filters.bit_length() - 1
        beat_bits = self._beat_words.bit_length() - 1
        address = self.write.address
        chunk = Signal(range(max(2, row_words // filters)))
        m.d.comb += chunk.eq(address[filter_bits:row_bits])
        row = Signal(ACCUMULATOR_BITS * row_words)
        for index in range(row_words):
            m.submodules[f"logits_{index}"] = file = self._file.instance()
            mine = chunk == index // filters
            m.d.comb += [
                file.clk.eq(ClockSignal()),
                file.write_en.eq(self.write_valid & self.write.raw & mine),
                file.write_index.eq(address[row_bits:]),
                file.write_data.eq(self.write.data.word_select(index % filters, ACCUMULATOR_BITS)),
                file.read_index.eq(self.read_index[row_bits - beat_bits :]),
                row.word_select(index, ACCUMULATOR_BITS).eq(file.read_data),
            ]
        beats = [
            row.word_select(n, self._arch.port_bits) for n in range(row_words // self._beat_words)
        ]
        m.d.comb += self.read_data.eq(choose(beats, self.read_index))
        return m
