"""Memories of one writer: sums of two blocks, words that every lane reads, two readers at once.

Sums: one for each element of two blocks, on the way from adders to requantizers.
ManyReads: words that are loaded one at a time, and read by every lane in each clock.
Two reads: a memory with one write port and two read ports.

Tests: `tests/verif/crossbar/test_loader.py`.
"""

from amaranth.hdl import Cat, ClockDomain, Module, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.rtl.part import Part, name_nets
from hwgen.chip.widths import bits_for_index


class Sums(Part):
    """Sums of channels, in two halves: each lane adds to one, readers take a row of others.

    A lane's port stores ``sum`` in the target of an address; who reads it sees it in the next
    cycle.

    Ports
        clk         in   1                   rising edge; there is no reset
        en          in   lanes               lane e stores ``data`` e at this clock edge
        index       in   lanes x index_bits  the halves lie behind each other
        data        in   lanes x sum_bits
        old         out  lanes x sum_bits    what each ``index`` holds
        read_index  in   reads x index_bits
        read_data   out  reads x sum_bits
    Latency  0 from an index to its data
    Rate     a read and a write of each lane, ``reads`` further reads in each cycle
    Errors   none: lanes that store have different indices
    Golden   indexing
    Source   docs/crossbar-chip.md, "Inside a macro"
    """

    family = "crossbar"
    clock_ports = ()
    garbage_at_power_on = True

    def __init__(self, *, targets: int, bits: int, lanes: int, reads: int) -> None:
        self._targets, self._bits, self._lanes, self._reads = targets, bits, lanes, reads
        self._index_bits = bits_for_index(targets) + 1
        super().__init__(
            {
                "clk": In(1),
                "en": In(lanes),
                "index": In(lanes * self._index_bits),
                "data": In(lanes * bits),
                "old": Out(lanes * bits),
                "read_index": In(reads * self._index_bits),
                "read_data": Out(reads * bits),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._targets}x{self._bits}l{self._lanes}r{self._reads}"

    @property
    def stored_bits(self) -> int:  # type: ignore[override]
        """The bits of its memory."""
        return self._bits << self._index_bits

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, width = self._index_bits, self._bits
        m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
        m.submodules.content = content = Memory(shape=width, depth=1 << bits, init=[])
        m.d.comb += array_clock.clk.eq(self.clk)
        old = []
        for lane in range(self._lanes):
            write, read = content.write_port(domain="array"), content.read_port(domain="comb")
            name_nets(write, f"write_{lane}")
            name_nets(read, f"old_{lane}")
            index = self.index.word_select(lane, bits)
            m.d.comb += [
                write.en.eq(self.en[lane]),
                write.addr.eq(index),
                write.data.eq(self.data.word_select(lane, width)),
                read.addr.eq(index),
            ]
            old.append(read.data)
        m.d.comb += self.old.eq(Cat(old))
        for place in range(self._reads):
            read = content.read_port(domain="comb")
            name_nets(read, f"read_{place}")
            m.d.comb += [
                read.addr.eq(self.read_index.word_select(place, bits)),
                self.read_data.word_select(place, width).eq(read.data),
            ]
        return m


class ManyReads(MemoryPart):
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

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        bits, width = len(self.write_index), self._width
        words = [Signal(width, name=f"word_{lane}") for lane in range(self._reads)]
        reads = [(self.index.word_select(lane, bits), word) for lane, word in enumerate(words)]
        m.d.comb += self.data.eq(Cat(words))
        return Cells(
            depth=1 << bits,
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_index,
            write_data=self.write_data,
            read_index=reads[0][0],
            read_data=reads[0][1],
            further_reads=reads[1:],
        )


class TwoReads(MemoryPart):
    """Words with one write port and two read ports.

    ``data_k = words[index_k]``, as it was before the clock edge

    Ports
        clk               in   1           rising edge; there is no reset
        write_en          in   1           store ``write_data`` at this clock edge
        write_index       in   index_bits  unsigned, below ``depth``
        write_data        in   width
        index_0, index_1  in   index_bits
        data_0, data_1    out  width
    Latency  0 from an index to its data
    Rate     two reads and one write in each cycle
    Errors   none; a word never written holds garbage
    Golden   indexing
    Source   docs/crossbar-chip.md: lanes convert one column and add another; windows of pools
    """

    family = "crossbar"

    def __init__(self, *, depth: int, width: int) -> None:
        self._depth, self._width = depth, width
        index = bits_for_index(depth)
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                "write_index": In(index),
                "write_data": In(width),
                "index_0": In(index),
                "index_1": In(index),
                "data_0": Out(width),
                "data_1": Out(width),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._depth}x{self._width}"

    @property
    def stored_bits(self) -> int:  # type: ignore[override]
        """The bits of its memory."""
        return self._width << len(self.write_index)

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        return Cells(
            depth=1 << len(self.write_index),
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_index,
            write_data=self.write_data,
            read_index=self.index_0,
            read_data=self.data_0,
            further_reads=[(self.index_1, self.data_1)],
        )
