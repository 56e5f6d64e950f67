"""The local processing unit (LPU) of one weight: an input bit times its cells."""

from amaranth.hdl import Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.digits import digits_of, pair_digits, pair_port
from hwgen.dbpim.rtl.layouts import cell_meta, sign_digit
from hwgen.network.sparsity import PHI_LIMIT


class Dbmu(Part):
    """Dyadic block multiply unit: one input bit times one weight, as a term without a sign.

    ``term = (x & digits) ^ negative``: bit p of ``digits`` says that the weight has a digit of 2^p,
    and bit p of ``negative`` that it is -1. So the term is ``x * weight`` + ``negative``.

    Ports
        x       in   1              one bit of the compartment's input
        cells   in   columns        the sensed cells of a filter: q of both, or the int8 weight
                                    [or one of ``macro.weight_bits``]
        meta    in   2 x cell_meta  sign and block index of both cells [with ``weight_bits``]
        enable  in   2              the first, the second cell counts [without
                                    ``weight_bits``: bit 0: the weight counts]
        pair    in   1              each cell is a weight [with pair tiles]
        term    out  8              unsigned
        second  out  8              the term of the second weight, 0 without ``pair`` [with pair
                                    tiles]
    Latency  0
    Rate     one product in each cycle
    Errors   none; two cells of 2^7 with one sign add nothing, since no int8 weight has them
    Golden   ``golden.dbpim.dbmu``, of two weights ``golden.dbpim.dbmu.pair_dbmu``
    Source   seed 002, V-C: both sides of a 6T cell meet the same input bit

    Example: 3 = 4 - 1 is a cell at 2^2 and a negative one at 2^0: ``x`` gives ``0b00000100``, no
    ``x`` gives ``0b00000001``; both are 1 more than ``3 * x``.
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._sparse, self._pairs = arch.sparsity.weight_bits, arch.pairs
        ports = {
            "x": In(1),
            "cells": In(arch.columns_per_filter),
            "enable": In(PHI_LIMIT),
            **pair_port(arch),
            "term": Out(arch.macro.weight_bits),
        }
        if arch.pairs:
            ports["second"] = Out(arch.macro.weight_bits)
        if self._sparse:
            ports["meta"] = In(data.ArrayLayout(cell_meta(), PHI_LIMIT))
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._sparse:
            cells, meta, enable = self.cells, list(self.meta), self.enable
            if self._pairs:
                terms = [self.term, self.second]
                found = [*pair_digits(cells, meta, enable, self.pair)]
            else:
                terms, found = [self.term], [digits_of(cells, meta, enable)]
            for term, (digits, negative) in zip(terms, found, strict=True):
                m.d.comb += term.eq((self.x.replicate(len(term)) & digits) ^ negative)
        else:
            works = self.x & self.enable[0]
            chosen = works.replicate(len(self.term)) & self.cells
            m.d.comb += self.term.eq(chosen ^ sign_digit(self._arch))
        return m
