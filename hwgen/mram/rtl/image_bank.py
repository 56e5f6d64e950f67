"""One image bank: sub-arrays as plain memory for a map.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import ClockSignal, Const, Module, Mux, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl.sub_array import SubArray


class ImageBank(Part):
    """Rows of elements; one access a cycle: one row is sensed as it is, or elements are written.

    ``read_data = cells[row]`` while ``read_en``, as it was before the clock edge

    Ports
        read_en    in   1         sense ``row``
        row        in   row_bits  row that is read
        read_data  out  columns   0 without ``read_en``
        write_en   in   elements  bit e: store element e of ``write_data`` at this clock edge
        write_row  in   row_bits  row that is written
        write_data in   columns   element 0 lowest
    Latency  0 from ``row`` to ``read_data``; what is written is seen in the next cycle
    Rate     one access in each cycle
    Errors   none; a cell never written holds garbage
    Golden   indexing
    Source   seed 001, Fig. 4: image bank
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        elements = arch.row_bytes // arch.element_bytes
        self._sub_array = SubArray(arch=arch, slices=elements)
        self.parts = [self._sub_array]
        super().__init__(
            {
                "read_en": In(1),
                "row": In(arch.bank_row_bits),
                "read_data": Out(arch.array.columns),
                "write_en": In(elements),
                "write_row": In(arch.bank_row_bits),
                "write_data": In(arch.array.columns),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, several = self._arch.row_index_bits, self._arch.bank_arrays > 1
        sensed: Value = Const(0)
        for number in range(self._arch.bank_arrays):
            cells = self._sub_array.instance()
            m.submodules[f"sub_array_{number}" if several else "sub_array"] = cells
            reads: Value = self.read_en
            writes: Value = self.write_en
            row: Value = self.row
            write_row: Value = self.write_row
            if several:
                row, write_row = row[:bits], write_row[:bits]
                reads = self.read_en & (self.row[bits:] == number)
                writes = Mux(self.write_row[bits:] == number, self.write_en, 0)
            m.d.comb += [
                cells.clk.eq(ClockSignal()),
                cells.row_0.eq(row),
                cells.active_rows.eq(reads),
                cells.read.eq(reads),
                cells.write_en.eq(writes),
                cells.write_row.eq(write_row),
                cells.write_data.eq(self.write_data),
            ]
            sensed = sensed | cells.sense if number else cells.sense
        m.d.comb += self.read_data.eq(sensed)
        return m
