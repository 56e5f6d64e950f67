"""The chip as its host sees it: an AXI4-Lite subordinate with the registers of spec."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.axi import MEMORY_ADDRESS_BITS, OKAY, SUBORDINATE_ERROR, lite_subordinate
from hwgen.rtl.dbpim.loader import ERROR_BITS
from hwgen.rtl.dbpim.supervisor import COUNTER_BITS, LAYERS_BITS
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import VERSION
from hwgen.spec.dbpim.registers import OFFSETS, REGISTERS

ADDRESSES = ("program_address", "image_address", "logits_address")
COUNTERS = ("cycles", "load_cycles")
WORD_BITS = 32


class Registers(Part):
    """Registers as ``hwgen.spec.dbpim.registers`` lists them, each 32 bits.

    Ports
        bus              out  AXI4-Lite  32 bits of data; the two lowest address bits are ignored
        start            out  1          a program starts, one cycle after its write was accepted
        program_address  out  64         as written last; 0 after reset
        image_address    out  64
        logits_address   out  64
        busy             in   1          a program runs; nothing can be written
        done             in   1
        error            in   3          ErrorCode
        cycles           in   64
        load_cycles      in   64
        layers           in   32
    Latency  1 cycle from an accepted address to the answer, for reads and writes
    Rate     one read and one write in two cycles; a write is accepted when address and data are
             both there
    Errors   SLVERR for an address without a register, for writing a register that can only be
             read, and for every write while busy; they change nothing, such a read gives 0
    Golden   ``hwgen.spec.dbpim.registers``
    Source   docs/dbpim-microarchitecture.md, "Start and stop"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._id_word = arch.id_word
        super().__init__(
            {
                "bus": Out(wiring.Signature(lite_subordinate())),
                "start": Out(1),
                **{name: Out(MEMORY_ADDRESS_BITS) for name in ADDRESSES},
                "busy": In(1),
                "done": In(1),
                "error": In(ERROR_BITS),
                **{name: In(COUNTER_BITS) for name in COUNTERS},
                "layers": In(LAYERS_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._reads(m)
        self._writes(m)
        return m

    def _values(self) -> dict[str, Value]:
        """Return what each register reads as."""
        halves: dict[str, Value] = {}
        for name in (*ADDRESSES, *COUNTERS):
            value = getattr(self, name)
            halves |= {f"{name}_low": value[:WORD_BITS], f"{name}_high": value[WORD_BITS:]}
        return {
            "id": Const(self._id_word, WORD_BITS),
            "version": Const(VERSION),
            "control": Const(0),
            "status": Cat(self.busy, self.done, self.error.any()),
            "error": self.error,
            "layers": self.layers,
            **halves,
        }

    def _reads(self, m: Module) -> None:
        """Answer a read one cycle later; the next one is taken after the answer."""
        bus, values = self.bus, self._values()
        found, value = Signal(), Signal(WORD_BITS)
        with m.Switch(bus.araddr[2:]):
            for register in REGISTERS:
                with m.Case(register.offset // 4):
                    m.d.comb += [found.eq(1), value.eq(values[register.name])]
        m.d.comb += bus.arready.eq(~bus.rvalid)
        with m.If(bus.rvalid):
            m.d.sync += bus.rvalid.eq(~bus.rready)
        with m.Elif(bus.arvalid):
            m.d.sync += [
                bus.rvalid.eq(1),
                bus.rdata.eq(value),
                bus.rresp.eq(Mux(found, OKAY, SUBORDINATE_ERROR)),
            ]

    def _writes(self, m: Module) -> None:
        """Take address and data together and answer one cycle later."""
        bus = self.bus
        accept, found = Signal(), Signal()
        m.d.comb += [
            accept.eq(bus.awvalid & bus.wvalid & ~bus.bvalid),
            bus.awready.eq(accept),
            bus.wready.eq(accept),
        ]
        m.d.sync += self.start.eq(0)
        with m.Switch(bus.awaddr[2:]):
            with m.Case(OFFSETS["control"] // 4):
                m.d.comb += found.eq(1)
                m.d.sync += self.start.eq(accept & ~self.busy & bus.wdata[0] & bus.wstrb[0])
            for name in ADDRESSES:
                for number, half in enumerate(("low", "high")):
                    with m.Case(OFFSETS[f"{name}_{half}"] // 4):
                        m.d.comb += found.eq(1)
                        register = getattr(self, name).word_select(number, WORD_BITS)
                        self._write(m, register, accept=accept & ~self.busy)
        with m.If(bus.bvalid):
            m.d.sync += bus.bvalid.eq(~bus.bready)
        with m.Elif(accept):
            response = Mux(found & ~self.busy, OKAY, SUBORDINATE_ERROR)
            m.d.sync += [bus.bvalid.eq(1), bus.bresp.eq(response)]

    def _write(self, m: Module, register: Value, *, accept: Value) -> None:
        """Store the bytes that the strobes name."""
        for byte in range(WORD_BITS // 8):
            with m.If(accept & self.bus.wstrb[byte]):
                m.d.sync += register.word_select(byte, 8).eq(self.bus.wdata.word_select(byte, 8))
