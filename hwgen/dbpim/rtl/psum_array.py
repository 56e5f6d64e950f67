"""Partial sums of a macro, behind the ports of a register file."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.layouts import psums


class PsumArray(MemoryPart):
    """One entry of sums for each position vector of a chunk.

    With pair tiles it is one of two: every other entry, and those of one filter group of a pair.

    ``read_data = entries[vector]``, as it was before the clock edge

    Ports
        clk         in   1            rising edge; there is no reset
        write_en    in   1            store ``write_data`` in ``vector`` at this clock edge
        vector      in   vector_bits  the entry read and written: unsigned, below
                                      ``psum_vectors`` [with ``pairs``: half of it]
        write_data  in   psums        one int32 for each filter
        read_data   out  psums        one int32 for each filter
    Latency  0 from ``vector`` to ``read_data``; what is written is seen in the next cycle
    Rate     one read and one write of the same entry in each cycle
    Errors   none: ``Arch`` has checked the sizes; an entry never written holds garbage
    Golden   indexing, inside ``verif.reference.dbpim.ppu``
    Source   seed 002, V-A: output register file, here one beside each macro
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                "vector": In(bits_for_index(arch.psum_vectors >> arch.pairs)),
                "write_data": In(psums(arch)),
                "read_data": Out(psums(arch)),
            }
        )

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        return Cells(
            depth=1 << len(self.vector),
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.vector,
            write_data=self.write_data,
            read_index=self.vector,
            read_data=self.read_data,
        )
