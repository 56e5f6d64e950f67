"""Loads the body of a packet of floats, after its header.

Tests: `tests/verif/dbpim/test_row_unit.py`.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import FLOAT_BITS, FLOAT_ENTRIES, Opcode
from hwgen.dbpim.rtl.layouts import packet
from hwgen.dbpim.rtl.load_bus import floats_index


class FloatsLoader(Part):
    """Sends a table of floats to the cores, then gamma and beta of each channel, a beat a cycle.

    Ports
        header  in         FLOATS packet  of the floats that are loaded; held
        start   in         1              the body comes from the next cycle on
        beats   stream in  port_bits      the body; taken while floats are loaded
        done    out        1              the last beat is taken in this cycle
        write   out        1              the beat holds floats
        index   out        index          number of the beat
    Latency  0 from a beat to ``write``
    Rate     one beat in each cycle
    Errors   none
    Golden   the packet as `hwgen.dbpim.facts.stream` encodes it
    Source   docs/dbpim-microarchitecture.md, "Stream" and "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._beat_bits = arch.port_bits
        super().__init__(
            {
                "header": In(packet(Opcode.FLOATS, arch)),
                "start": In(1),
                "beats": In(stream.Signature(arch.port_bits)),
                "done": Out(1),
                "write": Out(1),
                "index": Out(floats_index(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        loads, index = Signal(), self.index
        table = FLOAT_ENTRIES * FLOAT_BITS // self._beat_bits
        pairs = self._beat_bits // (2 * FLOAT_BITS)
        beats = table + ((self.header.channels + (pairs - 1)) >> (pairs.bit_length() - 1))
        m.d.comb += [
            self.beats.ready.eq(loads),
            self.write.eq(loads & self.beats.valid),
            self.done.eq(self.write & (index + 1 == beats)),
        ]
        with m.If(self.start):
            m.d.sync += loads.eq(1)
        with m.Elif(self.write):
            m.d.sync += [loads.eq(~self.done), index.eq(Mux(self.done, 0, index + 1))]
        return m
