"""The memory of a chip with few pins: the chip by AXI4, the host byte by byte.

Tests: `tests/verif/common/test_line_memory.py`.
"""

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip.axi import MEMORY_ADDRESS_BITS, OKAY, SUBORDINATE_ERROR
from hwgen.chip.rtl.axi import read_manager, write_manager
from hwgen.chip.rtl.checks import holds
from hwgen.chip.rtl.line.line_cells import LineCells
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.shared import SharedPart


def byte_port(address_bits: int) -> wiring.Signature:
    """Return the ports by which a manager reaches single bytes, one a cycle, without a wait.

    en: an access in this cycle; write: store ``data``, else read; answer: in the next cycle
    """
    members = {"en": 1, "write": 1, "address": address_bits, "data": 8}
    ports = {name: Out(bits) for name, bits in members.items()}
    return wiring.Signature({**ports, "answer": In(8)})


class LineMemory(SharedPart):
    """Holds program and maps: one access a cycle, of the host first, then writes, then reads.

    Parameters
    ----------
        family     prefix of the module name
        port_bits  data of the chip's memory port
        size       bytes, a power of two, at least two beats
    Ports
        host    in  bytes       the host reads or writes a byte; it never waits
        memory  in  AXI4        of the chip: INCR bursts of whole beats; the identifier is 0
    Latency  1 from the host's ``en`` to its answer; 2 from an accepted address to the first beat
    Rate     one beat of a write in each cycle, one of a read in two, without the host's accesses
    Errors   SLVERR for a beat outside the memory, and for a burst of writes with one: such a beat
             writes nothing. ValueError for a size that is no power of two
    Golden   indexing, inside ``verif/common/bench_line_memory.py``
    Source   docs/howto/host.md
    """

    def __init__(self, *, family: str, port_bits: int, size: int) -> None:
        self._bytes = port_bits // 8
        self._size = size
        self._cells = LineCells(family=family, depth=size // self._bytes, bytes=self._bytes)
        self.parts: list[Part] = [self._cells]
        manager = {**read_manager(port_bits), **write_manager(port_bits)}
        super().__init__(
            {
                "host": In(byte_port(size.bit_length() - 1)),
                "memory": In(wiring.Signature(manager)),
            },
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.cells = cells = self._cells.instance()
        host, low = self.host, self._bytes.bit_length() - 1
        lane = Signal(low)
        m.d.comb += [cells.clk.eq(ClockSignal()), cells.write_data.eq(self.memory.wdata)]
        m.d.comb += host.answer.eq(cells.read_data.word_select(lane, 8))
        self._writes(m, cells)
        self._reads(m, cells)
        with m.If(host.en):
            m.d.sync += lane.eq(host.address[:low])
            m.d.comb += [
                cells.index.eq(host.address[low:]),
                cells.write_data.eq(host.data.replicate(self._bytes)),
                cells.write_en.eq(host.write << host.address[:low]),
                cells.read_en.eq(~host.write),
            ]
        return m

    def _writes(self, m: Module, cells: wiring.PureInterface) -> None:
        """Take a burst of writes: its address, its beats, then answer."""
        port, low = self.memory, self._bytes.bit_length() - 1
        address, busy = Signal(MEMORY_ADDRESS_BITS - low), Signal()
        outside = address[len(cells.index) :].any()
        m.d.comb += [
            port.awready.eq(~busy & ~port.bvalid),
            port.wready.eq(busy & ~self.host.en),
            port.bid.eq(0),
        ]
        with m.If(port.awvalid & port.awready):
            m.d.sync += [address.eq(port.awaddr[low:]), busy.eq(1)]
        with m.If(port.bvalid & port.bready):
            m.d.sync += port.bvalid.eq(0)
        with m.If(port.wvalid & port.wready):
            m.d.comb += [
                cells.index.eq(address),
                cells.write_en.eq(Mux(outside, 0, port.wstrb)),
            ]
            m.d.sync += address.eq(address + 1)
            with m.If(port.wlast):
                # A burst that leaves the memory ends outside.
                answer = Mux(outside, SUBORDINATE_ERROR, OKAY)
                m.d.sync += [busy.eq(0), port.bvalid.eq(1), port.bresp.eq(answer)]
        holds(m, "the write answer", valid=port.bvalid, ready=port.bready, payload=port.bresp)

    def _reads(self, m: Module, cells: wiring.PureInterface) -> None:
        """Take a burst of reads; each beat is read, then shown from a register."""
        port, low = self.memory, self._bytes.bit_length() - 1
        address, left = Signal(MEMORY_ADDRESS_BITS - low), Signal(9)
        fetched, last, outside = Signal(), Signal(), Signal()
        free = ~fetched & (~port.rvalid | port.rready)
        writes = port.wvalid & port.wready
        m.d.comb += [port.arready.eq(left == 0), port.rid.eq(0)]
        m.d.sync += fetched.eq(0)
        with m.If(port.rvalid & port.rready):
            m.d.sync += port.rvalid.eq(0)
        with m.If(fetched):
            m.d.sync += [
                port.rvalid.eq(1),
                port.rdata.eq(Mux(outside, 0, cells.read_data)),
                port.rresp.eq(Mux(outside, SUBORDINATE_ERROR, OKAY)),
                port.rlast.eq(last),
            ]
        with m.If(port.arvalid & port.arready):
            m.d.sync += [address.eq(port.araddr[low:]), left.eq(port.arlen + 1)]
        with m.If((left != 0) & free & ~writes & ~self.host.en):
            m.d.comb += [cells.index.eq(address), cells.read_en.eq(1)]
            m.d.sync += [
                fetched.eq(1),
                last.eq(left == 1),
                outside.eq(address[len(cells.index) :].any()),
                left.eq(left - 1),
                address.eq(address + 1),
            ]
        beat = (port.rdata, port.rresp, port.rlast)
        holds(m, "the read beat", valid=port.rvalid, ready=port.rready, payload=Cat(*beat))
