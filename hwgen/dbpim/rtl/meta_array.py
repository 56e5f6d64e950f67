"""Signs, block indices and constants of the rows of a macro, behind a register file's ports."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.cell_array import read_enable
from hwgen.dbpim.rtl.layouts import row_meta


class MetaArray(MemoryPart):
    """Rows of metadata beside the cell arrays of all compartments: a row is written or read.

    ``meta = entries[row]``, as it was before the clock edge; with synchronous cells as it was
    before the edge that saw ``read_en``

    Ports
        clk         in   1         rising edge; there is no reset
        write_en    in   1         store ``write_data`` in ``row`` at this clock edge
        row         in   row_bits  unsigned, below ``rows``: the row written or read
        read_en     in   1         read ``row`` at this clock edge [with synchronous cells]
        write_data  in   row_meta  as bits: signs, block indices and constants of a row
        meta        out  row_meta  the entries of ``row``
    Latency  0 from ``row`` to ``meta``; what is written is seen in the next cycle. Synchronous: 1
             from ``row`` to ``meta``
    Rate     one row in each cycle
    Errors   none: ``Arch`` has checked the sizes; a row never written holds garbage
    Golden   indexing, inside ``verif.reference.dbpim.macro``
    Source   seed 002, V-A: metadata register files, here one beside each macro
    """

    family = "dbpim"
    reads_what_it_writes = False

    def __init__(self, *, arch: Arch) -> None:
        bits = row_meta(arch).size
        self._reads_at_edge = arch.reads_at_edge
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                "row": In(bits_for_index(arch.macro.rows)),
                **read_enable(arch),
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
            read_en=self.read_en if self._reads_at_edge else None,
            read_index=self.row,
            read_data=self.meta,
        )
