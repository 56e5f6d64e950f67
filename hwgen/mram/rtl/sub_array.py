"""One sub-array: cells, row decoder, write drivers and sense amplifiers.

Tests: `tests/verif/mram/test_parts.py`.
"""

from collections.abc import Iterator, Mapping
from itertools import product

from amaranth.hdl import Module, Mux
from amaranth.lib.wiring import In, Out

from hwgen.chip.replacement import ArraySpec, Replacement
from hwgen.chip.rtl.array_part import ArrayPart
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl.cell_array import CellArray
from hwgen.mram.rtl.sense_amplifier import SenseAmplifier

READ_ROWS = 3
"""Rows that can be active at once."""
REFERENCES = ("read", "and2", "or3", "maj", "and3")
"""Of the sense amplifiers."""


class SubArray(ArrayPart):
    """Writes a row, and senses up to three rows at once.

    ``sense`` and ``carry`` are those of ``SenseAmplifier`` for the first ``active_rows`` of
    ``row_0``, ``row_1``, ``row_2``.

    slices: parts of a row that are written apart, equally wide

    Ports
        clk                          in   1         rising edge; there is no reset
        write_en                     in   slices    store a slice in ``write_row`` at this edge
        write_row                    in   row_bits  unsigned, below ``rows``
        write_data                   in   columns   one bit for each column
        row_0, row_1, row_2          in   row_bits  unsigned, below ``rows``
        active_rows                  in   2         0 to 3
        read, and2, or3, maj, and3   in   1         references, see ``SenseAmplifier``
        sense, carry                 out  columns
    Latency  0 from the rows; what is written is seen in the next cycle
    Rate     one write and one comparison in each cycle
    Errors   none: ``Arch`` has checked the sizes; a row never written holds garbage
    Golden   ``verif.reference.mram.sub_array``
    Source   seed 001, III-B
    """

    family = "mram"

    def __init__(self, *, arch: Arch, slices: int) -> None:
        self._cells = CellArray(arch=arch, slices=slices)
        self._sense_amplifier = SenseAmplifier(arch=arch)
        self.parts = [self._cells, self._sense_amplifier]
        self._slices = slices
        self._arch = arch
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
                "active_rows": In(range(READ_ROWS + 1)),
                "read": In(1),
                "and2": In(1),
                "or3": In(1),
                "maj": In(1),
                "and3": In(1),
                "sense": Out(columns),
                "carry": Out(columns),
            }
        )

    @property
    def size_suffix(self) -> str:
        """The number of slices: arrays that compute have one, image banks one for each element."""
        return str(self._slices)

    @property
    def sizes(self) -> Mapping[str, int]:
        """Rows, columns, and slices of a row."""
        array = self._arch.array
        return {"rows": array.rows, "columns": array.columns, "slices": self._slices}

    def ways(self, replacement: Replacement[ArraySpec]) -> Iterator[tuple[str, str]]:
        """Yield the ways from rows and references to what is sensed: there is no clock between."""
        yield from product(
            ("row_0", "row_1", "row_2", "active_rows", *REFERENCES), ("sense", "carry")
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.replacement is not None:
            self.around(m)
            return m
        m.submodules.cells = cells = self._cells.instance()
        m.submodules.sense_amplifier = amplifier = self._sense_amplifier.instance()
        m.d.comb += [
            cells.clk.eq(self.clk),
            cells.write_en.eq(self.write_en),
            cells.write_row.eq(self.write_row),
            cells.write_data.eq(self.write_data),
            cells.row_0.eq(self.row_0),
            cells.row_1.eq(self.row_1),
            cells.row_2.eq(self.row_2),
            amplifier.data_0.eq(Mux(self.active_rows > 0, cells.data_0, 0)),
            amplifier.data_1.eq(Mux(self.active_rows > 1, cells.data_1, 0)),
            amplifier.data_2.eq(Mux(self.active_rows > 2, cells.data_2, 0)),
            amplifier.read.eq(self.read),
            amplifier.and2.eq(self.and2),
            amplifier.or3.eq(self.or3),
            amplifier.maj.eq(self.maj),
            amplifier.and3.eq(self.and3),
            self.sense.eq(amplifier.sense),
            self.carry.eq(amplifier.carry),
        ]
        return m
