"""Which cells of weights are sensed wrong: a model of devices beside the cells of a sub-array.

Tests: `tests/mram/sim/test_effects.py`.
"""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.mram.facts.arch import Arch


class WeakCells(MemoryPart):
    """A bit for each cell of a sub-array: its AND with a row of inputs is sensed wrong.

    Ports
        clk         in   1         rising edge; there is no reset
        write_en    in   1         store ``write_data`` in ``write_row`` at this clock edge
        write_row   in   row_bits  unsigned, below ``rows``
        write_data  in   columns
        row         in   row_bits  unsigned, below ``rows``
        data        out  columns
    Latency  0 from a row to its data; what is written is seen in the next cycle
    Rate     one read and one write in each cycle
    Errors   none; a row never written holds garbage
    Golden   ``golden.mram.effects``
    Source   docs/howto/device-effects.md
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        rows, columns = arch.row_index_bits, arch.array.columns
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                "write_row": In(rows),
                "write_data": In(columns),
                "row": In(rows),
                "data": Out(columns),
            }
        )

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        return Cells(
            depth=1 << len(self.write_row),
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_row,
            write_data=self.write_data,
            read_index=self.row,
            read_data=self.data,
        )
