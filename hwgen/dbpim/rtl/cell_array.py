"""The cells of one compartment; a foundry macro with these ports can replace the module."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch


class CellArray(MemoryPart):
    """Rows of 6T cells with one word line decoder: in a cycle a row is written or computes.

    ``q = cells[row]`` and ``q_n = ~cells[row]``, as they were before the clock edge

    Ports
        clk         in   1         rising edge; there is no reset, cells keep their charge
        write_en    in   1         store ``write_data`` in ``row`` at this clock edge
        read_en     in   1         only if the architecture reads at the edge: sense ``row`` at this
                                   clock edge; what was sensed holds until the next time
        row         in   row_bits  unsigned, below ``rows``: the row written or sensed
        write_data  in   columns   one bit for each cell column
        q           out  columns   the cells of ``row``
        q_n         out  columns   the complementary bit line of each cell
    Latency  0 from ``row`` to ``q``, at the edge 1 from ``read_en``; what is written is seen in
             the next cycle
    Rate     one row in each cycle
    Errors   none: ``Arch`` has checked the sizes; a row never written holds garbage
    Golden   indexing, inside ``golden.dbpim.compartment``
    Source   seed 002, V-C: 6T cells whose two sides are both used
    """

    family = "dbpim"
    reads_what_it_writes = False

    def __init__(self, *, arch: Arch) -> None:
        columns = arch.macro.columns
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                **({"read_en": In(1)} if arch.reads_at_edge else {}),
                "row": In(bits_for_index(arch.macro.rows)),
                "write_data": In(columns),
                "q": Out(columns),
                "q_n": Out(columns),
            }
        )

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        m.d.comb += self.q_n.eq(~self.q)
        return Cells(
            depth=1 << len(self.row),
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.row,
            write_data=self.write_data,
            read_index=self.row,
            read_en=self.read_en if "read_en" in self.signature.members else None,
            read_data=self.q,
        )
