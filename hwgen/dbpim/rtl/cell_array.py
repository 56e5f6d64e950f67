"""The cells of one compartment; a foundry macro with these ports can replace the module."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Member, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch


def read_enable(arch: Arch) -> dict[str, Member]:
    """Return the port that says that a row is read at this clock edge, where cells have one."""
    return {"read_en": In(1)} if arch.reads_at_edge else {}


class CellArray(MemoryPart):
    """Rows of 6T cells with one word line decoder: in a cycle a row is written or computes.

    ``q = cells[row]`` and ``q_n = ~cells[row]``, as they were before the clock edge; with
    synchronous cells as they were before the edge that saw ``read_en``

    Ports
        clk         in   1         rising edge; there is no reset, cells keep their charge
        write_en    in   1         store ``write_data`` in ``row`` at this clock edge
        row         in   row_bits  unsigned, below ``rows``: the row written or sensed
        read_en     in   1         sense ``row`` at this clock edge [with synchronous cells]
        write_data  in   columns   one bit for each cell column
        q           out  columns   the cells of ``row``
        q_n         out  columns   the complementary bit line of each cell
    Latency  0 from ``row`` to ``q``; what is written is seen in the next cycle. Synchronous: 1 from
             ``row`` to ``q``
    Rate     one row in each cycle
    Errors   none: ``Arch`` has checked the sizes; a row never written holds garbage
    Golden   indexing, inside ``verif.reference.dbpim.compartment``
    Source   seed 002, V-C: 6T cells whose two sides are both used
    """

    family = "dbpim"
    reads_what_it_writes = False

    def __init__(self, *, arch: Arch) -> None:
        columns = arch.macro.columns
        self._reads_at_edge = arch.reads_at_edge
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                "row": In(bits_for_index(arch.macro.rows)),
                **read_enable(arch),
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
            read_en=self.read_en if self._reads_at_edge else None,
            read_index=self.row,
            read_data=self.q,
        )
