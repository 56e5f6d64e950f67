"""One compartment: one input bit times the cells of one row."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.cell_array import CellArray
from hwgen.rtl.dbpim.dbmu import Dbmu
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.widths import bits_for_index


class Compartment(Part):
    """A cell array, and a DBMU under each of its cell columns.

    ``hi[j] = x & cells[row][j]``, ``lo[j] = x & ~cells[row][j]`` for every cell column j

    Ports
        clk         in   1         rising edge; there is no reset
        write_en    in   1         store ``write_data`` in ``row`` at this clock edge
        row         in   row_bits  unsigned, below ``rows``: the row written or computing
        write_data  in   columns   one bit for each cell column
        x           in   1         one bit of the compartment's input byte
        hi          out  columns   products of weight 2
        lo          out  columns   products of weight 1
    Latency  0 from ``x`` and ``row``; what is written is seen in the next cycle
    Rate     one row in each cycle; ``hi`` and ``lo`` are undefined in a cycle that writes
    Errors   none: ``Arch`` has checked the sizes
    Golden   ``golden.dbpim.compartment``
    Source   seed 002, V-C
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._cell_array = CellArray(arch=arch)
        self._dbmu = Dbmu(arch=arch)
        self.parts = [self._cell_array, self._dbmu]
        columns = arch.macro.columns
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                "row": In(bits_for_index(arch.macro.rows)),
                "write_data": In(columns),
                "x": In(1),
                "hi": Out(columns),
                "lo": Out(columns),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.cell_array = cell_array = self._cell_array.instance()
        m.d.comb += [
            cell_array.clk.eq(self.clk),
            cell_array.write_en.eq(self.write_en),
            cell_array.row.eq(self.row),
            cell_array.write_data.eq(self.write_data),
        ]
        for column in range(len(self.hi)):
            m.submodules[f"dbmu_{column}"] = dbmu = self._dbmu.instance()
            m.d.comb += [
                dbmu.x.eq(self.x),
                dbmu.q.eq(cell_array.q[column]),
                dbmu.q_n.eq(cell_array.q_n[column]),
                self.hi[column].eq(dbmu.hi),
                self.lo[column].eq(dbmu.lo),
            ]
        return m
