"""A small memory that is read at once, behind ports that a compiled one can take over."""

from amaranth.hdl import ClockDomain, Module
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl.part import Part
from hwgen.spec.widths import bits_for_index


class RegisterFile(Part):
    """Words with one write port and one read port.

    ``read_data = entries[read_index]``, as it was before the clock edge

    Ports
        clk          in   1           rising edge; there is no reset
        write_en     in   1           store ``write_data`` at this clock edge
        write_index  in   index_bits  unsigned, below ``depth``
        write_data   in   width
        read_index   in   index_bits  unsigned, below ``depth``
        read_data    out  width
    Latency  0 from ``read_index`` to ``read_data``; what is written is seen in the next cycle
    Rate     one read and one write in each cycle
    Errors   none; a word never written holds garbage
    Golden   indexing
    Source   docs/dbpim-microarchitecture.md: FIFO, instruction queue, logits
    """

    family = "dbpim"
    clock_ports = ()
    garbage_at_power_on = True

    def __init__(self, *, depth: int, width: int) -> None:
        self._depth = depth
        self._width = width
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                "write_index": In(bits_for_index(depth)),
                "write_data": In(width),
                "read_index": In(bits_for_index(depth)),
                "read_data": Out(width),
            }
        )

    @property
    def size_suffix(self) -> str:
        """Depth and width, such as "64x128"."""
        return f"{self._depth}x{self._width}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
        m.submodules.entries = entries = Memory(shape=self._width, depth=self._depth, init=[])
        write = entries.write_port(domain="array")
        read = entries.read_port(domain="comb")
        m.d.comb += [
            array_clock.clk.eq(self.clk),
            write.en.eq(self.write_en),
            write.addr.eq(self.write_index),
            write.data.eq(self.write_data),
            read.addr.eq(self.read_index),
            self.read_data.eq(read.data),
        ]
        return m
