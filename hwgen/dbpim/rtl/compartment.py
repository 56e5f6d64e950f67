"""One compartment: one input bit times the weights of one row."""

from amaranth.hdl import Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.cell_array import CellArray, read_enable
from hwgen.dbpim.rtl.dbmu import Dbmu
from hwgen.dbpim.rtl.digits import pair_port
from hwgen.dbpim.rtl.layouts import cell_meta
from hwgen.network.sparsity import PHI_LIMIT


class Compartment(Part):
    """A cell array, and a DBMU under the cell columns of each filter.

    ``terms[f] = dbmu(x, cells[row] of filter f)``; with synchronous cells the row of the cycle
    before

    Ports
        clk         in   1                    rising edge; there is no reset
        write_en    in   1                    store ``write_data`` in ``row`` at this clock edge
        row         in   row_bits             unsigned, below ``rows``: written or computing
        read_en     in   1                    ``row`` computes in the next cycle [with
                                              synchronous cells]
        write_data  in   columns              one bit for each cell column
        x           in   1                    one bit of the compartment's input byte
        meta        in   columns x cell_meta  sign and block index of the cells of the row that
                                              computes [with ``weight_bits``]
        enable      in   2 x F                bits 2f, 2f + 1: first, second cell of filter f counts
        pair        in   1                    they are of two filters [with pair tiles]
        terms       out  F x 8                unsigned, see ``Dbmu`` [with ``pairs``: 2 x F,
                                              those of the second weights follow]
    Latency  0 from ``x`` and ``row``; what is written is seen in the next cycle. Synchronous: 1
             from ``row``
    Rate     one row in each cycle; ``terms`` are undefined in a cycle that writes, with synchronous
             cells in one after a cycle without ``read_en``
    Errors   none: ``Arch`` has checked the sizes
    Golden   ``verif.reference.dbpim.compartment``
    Source   seed 002, V-C
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._cell_array = CellArray(arch=arch)
        self._dbmu = Dbmu(arch=arch)
        self.parts = [self._cell_array, self._dbmu]
        columns = arch.macro.columns
        ports = {
            "clk": In(1),
            "write_en": In(1),
            "row": In(bits_for_index(arch.macro.rows)),
            **read_enable(arch),
            "write_data": In(columns),
            "x": In(1),
            "enable": In(PHI_LIMIT * arch.filters),
            **pair_port(arch),
            "terms": Out(data.ArrayLayout(arch.macro.weight_bits, arch.sums)),
        }
        if arch.sparsity.weight_bits:
            ports["meta"] = In(data.ArrayLayout(cell_meta(), columns))
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.cell_array = cell_array = self._cell_array.instance()
        m.d.comb += [
            cell_array.clk.eq(self.clk),
            cell_array.write_en.eq(self.write_en),
            cell_array.row.eq(self.row),
            cell_array.write_data.eq(self.write_data),
        ]
        if self._arch.reads_at_edge:
            m.d.comb += cell_array.read_en.eq(self.read_en)
        columns = self._arch.columns_per_filter
        for index in range(self._arch.filters):
            m.submodules[f"dbmu_{index}"] = dbmu = self._dbmu.instance()
            m.d.comb += [
                dbmu.x.eq(self.x),
                dbmu.cells.eq(cell_array.q.word_select(index, columns)),
                dbmu.enable.eq(self.enable.word_select(index, PHI_LIMIT)),
                self.terms[index].eq(dbmu.term),
            ]
            if self._arch.pairs:
                m.d.comb += [
                    dbmu.pair.eq(self.pair),
                    self.terms[self._arch.filters + index].eq(dbmu.second),
                ]
            if self._arch.sparsity.weight_bits:
                m.d.comb += dbmu.meta.eq(
                    self.meta.as_value().word_select(index, PHI_LIMIT * cell_meta().size)
                )
        return m
