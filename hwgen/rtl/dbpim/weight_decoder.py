"""Decodes the weight codes of the stream to the cell bits and metadata of a macro."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.layouts import cell_code, row, row_cells, row_meta
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import WEIGHT_BITS, Arch
from hwgen.spec.dbpim.instructions import CELL_BITS
from hwgen.spec.sparsity import PHI_LIMIT


class WeightDecoder(Part):
    """Spreads the codes of a row over the cell columns of each compartment.

    With `weight_bits` a code is two nibbles {q (bit 3), negative (bit 2), index (bits 1, 0)}, the
    lower one for cell column 2f; without, it is the int8 weight: bit b goes to cell column 8f + b.

    Ports
        row        in   row        codes of one row, index compartment * F + filter
        row_cells  out  row_cells  cell bits, one for each cell column
        row_meta   out  row_meta   sign and block index of each cell; zeros without `weight_bits`
    Latency  0: combinational
    Rate     one row in each cycle
    Errors   none: every code has a meaning
    Golden   ``golden.dbpim.weight_decoder``
    Source   seed 002, IV-B; docs/dbpim-microarchitecture.md, "Stream"
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "row": In(row(arch)),
                "row_cells": Out(row_cells(arch)),
                "row_meta": Out(row_meta(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        filters = self._arch.filters
        for compartment in range(self._arch.macro.compartments):
            codes = [self.row[compartment * filters + index] for index in range(filters)]
            cells, meta = self.row_cells[compartment], self.row_meta[compartment]
            if not self._arch.sparsity.weight_bits:
                m.d.comb += [
                    cells[WEIGHT_BITS * index + bit].eq(code[bit])
                    for index, code in enumerate(codes)
                    for bit in range(WEIGHT_BITS)
                ]
                continue
            for column in range(PHI_LIMIT * filters):
                cell = cell_code()(
                    codes[column // PHI_LIMIT].word_select(column % PHI_LIMIT, CELL_BITS)
                )
                m.d.comb += [
                    cells[column].eq(cell.q),
                    meta[column].negative.eq(cell.negative),
                    meta[column].index.eq(cell.index),
                ]
        return m
