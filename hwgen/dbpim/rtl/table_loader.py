"""Loads the body of a packet of a table, after its header."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import TABLE_BYTES


class TableLoader(Part):
    """Sends the entries of a table to the cores, a beat in each cycle.

    Ports
        start  in         1          the body comes from the next cycle on
        beats  stream in  port_bits  the body; taken while a table is loaded
        done   out        1          the last beat is taken in this cycle
        write  out        1          the beat holds entries of the table
        index  out        8          number of the first one
    Latency  0 from a beat to ``write``
    Rate     one beat in each cycle
    Errors   none
    Golden   the packet as `hwgen.dbpim.facts.stream` encodes it
    Source   docs/dbpim-microarchitecture.md, "Stream" and "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._beat_bytes = arch.port_bytes
        super().__init__(
            {
                "start": In(1),
                "beats": In(stream.Signature(arch.port_bits)),
                "done": Out(1),
                "write": Out(1),
                "index": Out(bits_for_index(TABLE_BYTES)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        loads, index = Signal(), self.index
        m.d.comb += [
            self.beats.ready.eq(loads),
            self.write.eq(loads & self.beats.valid),
            self.done.eq(self.write & (index == TABLE_BYTES - self._beat_bytes)),
        ]
        with m.If(self.start):
            m.d.sync += loads.eq(1)
        with m.Elif(self.write):
            m.d.sync += [loads.eq(~self.done), index.eq(index + self._beat_bytes)]
        return m
