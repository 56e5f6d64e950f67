"""ManyReads: words that are loaded one at a time, and read by every lane in each clock."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.memory_body import memory_body
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index


class ManyReads(Part):
    """Words with one write port and a read port for each lane.

    ``data[lane] = words[index[lane]]``, as it was before the clock edge

    Ports
        clk          in   1                   rising edge; there is no reset
        write_en     in   1                   store ``write_data`` at this clock edge
        write_index  in   index_bits          unsigned, below ``depth``
        write_data   in   width
        index        in   reads x index_bits
        data         out  reads x width
    Latency  0 from an index to its data
    Rate     one write, a read of each lane in each cycle
    Errors   none; a word never written holds garbage
    Golden   indexing
    Source   docs/crossbar-chip.md, "Inside a macro": channels, tables, sums of inputs
    """

    family = "crossbar"
    clock_ports = ()
    garbage_at_power_on = True

    def __init__(self, *, depth: int, width: int, reads: int) -> None:
        self._depth, self._width, self._reads = depth, width, reads
        index = bits_for_index(depth)
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                "write_index": In(index),
                "write_data": In(width),
                "index": In(reads * index),
                "data": Out(reads * width),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._depth}x{self._width}r{self._reads}"

    @property
    def stored_bits(self) -> int:  # type: ignore[override]
        """The bits of its memory."""
        return self._width << len(self.write_index)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, width = len(self.write_index), self._width
        words = [Signal(width, name=f"word_{lane}") for lane in range(self._reads)]
        reads = [(self.index.word_select(lane, bits), word) for lane, word in enumerate(words)]
        m.d.comb += self.data.eq(Cat(words))
        memory_body(
            m,
            depth=1 << bits,
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_index,
            write_data=self.write_data,
            read_index=reads[0][0],
            read_data=reads[0][1],
            further_reads=reads[1:],
        )
        return m
