"""Signs, block indices and constants of the rows of a macro, behind a register file's ports."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.layouts import row_meta


class MetaArray(MemoryPart):
    """Rows of metadata beside the cell arrays of all compartments: a row is written or read.

    ``meta = entries[row]``, as it was before the clock edge

    Ports
        clk         in   1         rising edge; there is no reset
        write_en    in   1         store ``write_data`` in ``row`` at this clock edge
        read_en     in   1         only if the architecture reads at the edge: sense ``row`` at this
                                   clock edge; what was sensed holds until the next time
        row         in   row_bits  unsigned, below ``rows``: the row written or read
        write_data  in   row_meta  as bits: signs, block indices and constants of a row
        meta        out  row_meta  the entries of ``row``
    Latency  0 from ``row`` to ``meta``, at the edge 1 from ``read_en``; what is written is seen in
             the next cycle
    Rate     one row in each cycle
    Errors   none: ``Arch`` has checked the sizes; a row never written holds garbage
    Golden   indexing, inside ``golden.dbpim.macro``
    Source   seed 002, V-A: metadata register files, here one beside each macro
    """

    family = "dbpim"
    reads_what_it_writes = False

    def __init__(self, *, arch: Arch) -> None:
        bits = row_meta(arch).size
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                **({"read_en": In(1)} if arch.reads_at_edge else {}),
                "row": In(bits_for_index(arch.macro.rows)),
                "write_data": In(bits),
                "meta": Out(bits),
            }
        )

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        return Cells(
            depth=1 << len(self.row),
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.row,
            write_data=self.write_data,
            read_index=self.row,
            read_en=self.read_en if "read_en" in self.signature.members else None,
            read_data=self.meta,
        )
