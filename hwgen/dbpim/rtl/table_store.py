"""The table of a core: any function of a byte, looked up for several bytes at a time."""

from amaranth.hdl import ClockSignal, Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import TABLE_BYTES
from hwgen.dbpim.rtl.load_bus import table_loads


class TableStore(Part):
    """A table of ``TABLE_BYTES`` bytes, in a copy for each of the `table_lookups` bytes.

    ``found[i] = table[bytes[i]]``

    Ports
        loads    in   table_loads     what the loader brings: see ``table_loads``
        known    out  1               from `push` to `released`
        released in   1               the instruction that looked up this table is over
        bytes    in   lookups x 8
        found    out  lookups x 8
    Latency  1 cycle from `push` and `released` to `known` and `room`, and from a write to the data
             that is read; 0 from `bytes` to `found`
    Rate     one write and `table_lookups` reads in each cycle
    Errors   none: entries never written hold garbage
    Golden   ``golden.network.look_up``
    Source   docs/dbpim-microarchitecture.md, "simd"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._beat_bytes = arch.port_bytes
        self._copy = RegisterFile(
            family=self.family, depth=TABLE_BYTES // arch.port_bytes, width=arch.port_bits
        )
        self.parts = [self._copy]
        lookups = data.ArrayLayout(ACTIVATION_BITS, arch.table_lookups)
        super().__init__(
            {
                "loads": In(table_loads(arch)),
                "known": Out(1),
                "released": In(1),
                "bytes": In(lookups),
                "found": Out(lookups),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.loads.push):
            m.d.sync += self.known.eq(1)
        with m.Elif(self.released):
            m.d.sync += self.known.eq(0)
        m.d.comb += self.loads.room.eq(~self.known)
        beat_bits = bits_for_index(self._beat_bytes)
        for number, byte in enumerate(self.bytes):
            m.submodules[f"copy_{number}"] = copy = self._copy.instance()
            entries = [copy.read_data.word_select(n, 8) for n in range(self._beat_bytes)]
            m.d.comb += [
                copy.clk.eq(ClockSignal()),
                copy.write_en.eq(self.loads.write),
                copy.write_index.eq(self.loads.index[beat_bits:]),
                copy.write_data.eq(self.loads.data),
                copy.read_index.eq(byte[beat_bits:]),
                self.found[number].eq(choose(entries, byte)),
            ]
        return m
