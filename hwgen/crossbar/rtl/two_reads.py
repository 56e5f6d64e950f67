"""A memory with one write port and two read ports."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.memory_body import memory_body
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index


class TwoReads(Part):
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
    clock_ports = ()
    garbage_at_power_on = True

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

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory_body(
            m,
            depth=1 << len(self.write_index),
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_index,
            write_data=self.write_data,
            read_index=self.index_0,
            read_data=self.data_0,
            further_reads=[(self.index_1, self.data_1)],
        )
        return m
