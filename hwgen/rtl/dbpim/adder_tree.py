"""Adder tree of the dense design: counts the ones of one cell column."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.csd_adder_tree import sum_of
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch


class AdderTree(Part):
    """Counts the ones of one cell column over all compartments as a balanced tree.

    ``count`` = number of ones in ``bits``

    Ports
        bits   in   compartments  products of an input bit and a weight bit
        count  out  count_bits    unsigned, from 0 to ``compartments``
    Latency  0
    Rate     one count in each cycle
    Errors   none
    Golden   ``golden.dbpim.adder_tree``
    Source   seed 002, VI-A: the dense digital macro that DB-PIM is compared with
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        compartments = arch.macro.compartments
        super().__init__({"bits": In(compartments), "count": Out(range(compartments + 1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.count.eq(sum_of(list(self.bits)))
        return m
