"""Decodes the weight codes of the stream to the cell bits and metadata of a macro."""

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import WEIGHT_BITS, Arch
from hwgen.dbpim.facts.instructions import CELL_BITS, Opcode, field_bits
from hwgen.dbpim.rtl.adder_tree import sum_of
from hwgen.dbpim.rtl.digits import digits_of, pair_digits, pair_port
from hwgen.dbpim.rtl.layouts import cell_code, row, row_cells, row_meta
from hwgen.network.sparsity import PHI_LIMIT


class WeightDecoder(Part):
    """Spreads the codes of a row over the cell columns of each compartment.

    With `weight_bits` a code is two nibbles {q (bit 3), negative (bit 2), index (bits 1, 0)}, the
    lower one for cell column 2f; without, it is the int8 weight: bit b goes to cell column 8f + b.

    Ports
        row            in   row        codes of one row, index compartment * F + filter
        filter_enable  in   16         cell columns that count, from the tile's header
        pair           in   1          they are of two filter groups; only with pair tiles
        row_cells      out  row_cells  cell bits, one for each cell column
        row_meta       out  row_meta   sign and block index of each cell, minus the negative digits
                                       of each filter, with pair tiles of both groups; zeros
                                       without `weight_bits`
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

    def elaborate(self, platform: object) -> Module:
        m = Module()
        filters = self._arch.filters
        # The output also holds what is computed from it: read, it would be a loop.
        decoded = Signal.like(self.row_meta.cells)
        for compartment in range(self._arch.macro.compartments):
            codes = [self.row[compartment * filters + index] for index in range(filters)]
            cells, meta = self.row_cells[compartment], decoded[compartment]
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
        if self._arch.sparsity.weight_bits:
            m.d.comb += self.row_meta.cells.eq(decoded)
            for index in range(filters):
                for place, terms in enumerate(self._negative(index, decoded)):
                    constant = self.row_meta.constants[place * filters + index]
                    m.d.comb += constant.eq(-sum_of(terms))
        return m

    def _negative(self, index: int, decoded: Iterable[Any]) -> list[list[Value]]:
        """Return the negative digits of a filter's weight in each compartment, of each sum."""
        enable = self.filter_enable.word_select(index, PHI_LIMIT)
        places = range(PHI_LIMIT * index, PHI_LIMIT * (index + 1))
        weights = [
            (Cat(cells[place] for place in places), [meta[place] for place in places], enable)
            for cells, meta in zip(self.row_cells, decoded, strict=True)
        ]
        if self._arch.pairs:
            pairs = [pair_digits(*weight, self.pair) for weight in weights]
            return [[pair[place].negative for pair in pairs] for place in range(PHI_LIMIT)]
        return [[digits_of(*weight).negative for weight in weights]]
