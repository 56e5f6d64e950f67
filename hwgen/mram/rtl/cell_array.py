"""The cells of one sub-array; a foundry macro with these ports can replace the module.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.mram.facts.arch import Arch


class CellArray(MemoryPart):
    """Rows of SOT-MRAM cells: in a cycle a row is written, and up to three are on the bit lines.

    ``data_k = cells[row_k]``, as they were before the clock edge

    slices: parts of a row that are written apart, equally wide

    Ports
        clk                     in   1         rising edge; there is no reset
        write_en                in   slices    store a slice in ``write_row`` at this clock edge
        write_row               in   row_bits  unsigned, below ``rows``
        write_data              in   columns   one bit for each column
        row_0, row_1, row_2     in   row_bits  unsigned, below ``rows``
        data_0, data_1, data_2  out  columns
    Latency  0 from a row to its data; what is written is seen in the next cycle
    Rate     three reads and one write in each cycle
    Errors   none: ``Arch`` has checked the sizes; a row never written holds garbage
    Golden   indexing, inside ``verif.reference.mram.sub_array``
    Source   seed 001, III-A: cells with one word line for writing and one for reading
    """

    family = "mram"

    def __init__(self, *, arch: Arch, slices: int) -> None:
        self._slices = slices
        rows, columns = arch.row_index_bits, arch.array.columns
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(slices),
                "write_row": In(rows),
                "write_data": In(columns),
                "row_0": In(rows),
                "row_1": In(rows),
                "row_2": In(rows),
                "data_0": Out(columns),
                "data_1": Out(columns),
                "data_2": Out(columns),
            }
        )

    @property
    def size_suffix(self) -> str:
        """The number of slices: arrays that compute have one, image banks one for each element."""
        return str(self._slices)

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        return Cells(
            depth=1 << len(self.write_row),
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_row,
            write_data=self.write_data,
            read_index=self.row_0,
            read_data=self.data_0,
            further_reads=[(self.row_1, self.data_1), (self.row_2, self.data_2)],
        )
