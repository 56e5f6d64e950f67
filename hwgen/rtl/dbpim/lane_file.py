"""A small memory whose lanes are written one by one, behind ports that a compiled one can take."""

from amaranth.hdl import ClockDomain, Module
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl.part import Part
from hwgen.spec.widths import bits_for_index


class LaneFile(Part):
    """Words of several lanes with one write port and one read port.

    ``read_data = words[read_index]``, as it was before the clock edge

    Ports
        clk          in   1                  rising edge; there is no reset
        write_en     in   lanes              store this lane of ``write_data`` at this clock edge
        write_index  in   index_bits         unsigned, below ``depth``
        write_data   in   lanes x lane_bits  lane 0 lowest
        read_index   in   index_bits         unsigned, below ``depth``
        read_data    out  lanes x lane_bits  lane 0 lowest
    Latency  0 from ``read_index`` to ``read_data``; what is written is seen in the next cycle
    Rate     one read and one write in each cycle
    Errors   none; a lane never written holds garbage
    Golden   indexing
    Source   docs/dbpim-microarchitecture.md: word slots, group queue, parameters
    """

    family = "dbpim"
    clock_ports = ()
    garbage_at_power_on = True

    def __init__(self, *, depth: int, lanes: int, lane_bits: int) -> None:
        self._depth = depth
        self._lanes = lanes
        self._lane_bits = lane_bits
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(lanes),
                "write_index": In(bits_for_index(depth)),
                "write_data": In(lanes * lane_bits),
                "read_index": In(bits_for_index(depth)),
                "read_data": Out(lanes * lane_bits),
            }
        )

    @property
    def size_suffix(self) -> str:
        """Depth, lanes and bits of a lane, such as "8x16x8"."""
        return f"{self._depth}x{self._lanes}x{self._lane_bits}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
        m.submodules.words = words = Memory(shape=len(self.read_data), depth=self._depth, init=[])
        write = words.write_port(domain="array", granularity=self._lane_bits)
        read = words.read_port(domain="comb")
        m.d.comb += [
            array_clock.clk.eq(self.clk),
            write.en.eq(self.write_en),
            write.addr.eq(self.write_index),
            write.data.eq(self.write_data),
            read.addr.eq(self.read_index),
            self.read_data.eq(read.data),
        ]
        return m
