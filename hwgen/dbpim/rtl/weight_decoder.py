"""Decodes the weight codes of the stream to the cell bits and metadata of a macro."""

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import CELL_BITS, Opcode, field_bits
from hwgen.dbpim.rtl.digits import pair_port
from hwgen.dbpim.rtl.layouts import cell_code, row, row_cells, row_meta
from hwgen.dbpim.rtl.negative_digits import NegativeDigits
from hwgen.network.sparsity import PHI_LIMIT


class WeightDecoder(Part):
    """Spreads the codes of a row over the cell columns of each compartment.

    With `weight_bits` a code is two nibbles {q (bit 3), negative (bit 2), index (bits 1, 0)}, the
    lower one for cell column 2f; without, it is the weight: its bit b goes to cell column
    ``columns_per_filter`` * f + b.

    Ports
        row            in   row        codes of one row, index compartment * F + filter
        filter_enable  in   16         cell columns that count, from the tile's header
        pair           in   1          they are of two filter groups [with pair tiles]
        row_cells      out  row_cells  cell bits, one for each cell column
        row_meta       out  row_meta   sign and block index of each cell, minus the negative digits
                                       of each filter [with ``pairs``: of both groups]
                                       [without `weight_bits`: zeros]
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
                "filter_enable": In(field_bits(Opcode.TILE, "filter_enable", arch.widths)),
                **pair_port(arch),
                "row_cells": Out(row_cells(arch)),
                "row_meta": Out(row_meta(arch)),
            }
        )
        if arch.sparsity.weight_bits:
            self._negative_digits = NegativeDigits(arch=arch)
            self.parts = [self._negative_digits]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        filters = self._arch.filters
        for compartment in range(self._arch.macro.compartments):
            codes = [self.row[compartment * filters + index] for index in range(filters)]
            cells = self.row_cells[compartment]
            if not self._arch.sparsity.weight_bits:
                width = self._arch.columns_per_filter
                m.d.comb += [
                    cells[width * index + bit].eq(code[bit])
                    for index, code in enumerate(codes)
                    for bit in range(width)
                ]
                continue
            meta = self.row_meta.cells[compartment]
            for column in range(PHI_LIMIT * filters):
                cell = cell_code()(
                    codes[column // PHI_LIMIT].word_select(column % PHI_LIMIT, CELL_BITS)
                )
                m.d.comb += [
                    cells[column].eq(cell.q),
                    meta[column].negative.eq(cell.negative),
                    meta[column].index.eq(cell.index),
                ]
        if self._arch.sparsity.weight_bits:
            for index in range(filters):
                self._place_constants(m, index)
        return m

    def _place_constants(self, m: Module, index: int) -> None:
        """Connect the constants of a filter to the sum of its weights' negative digits."""
        filters, compartments = self._arch.filters, self._arch.macro.compartments
        m.submodules[f"filter_{index}"] = part = self._negative_digits.instance()
        codes = [self.row[compartment * filters + index] for compartment in range(compartments)]
        m.d.comb += [
            part.codes.eq(Cat(codes)),
            part.enable.eq(self.filter_enable.word_select(index, PHI_LIMIT)),
        ]
        if self._arch.pairs:
            m.d.comb += part.pair.eq(self.pair)
        for place, constant in enumerate(part.constants):
            m.d.comb += self.row_meta.constants[place * filters + index].eq(constant)
