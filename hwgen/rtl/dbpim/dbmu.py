"""The local processing unit (LPU) of one cell column."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch


class Dbmu(Part):
    """Dyadic block multiply unit: one input bit times the two digits of the sensed cell.

    ``hi = x & q``, ``lo = x & q_n``; the block has the magnitude ``2 * q + q_n``

    Ports
        x    in   1  one bit of the compartment's input
        q    in   1  the cell: the higher digit of its block is set
        q_n  in   1  its complement: the lower digit is set
        hi   out  1  weight 2 in the adder tree
        lo   out  1  weight 1
    Latency  0
    Rate     one product in each cycle
    Errors   none
    Golden   ``golden.dbpim.dbmu``
    Source   seed 002, V-C: both sides of a 6T cell meet the same input bit
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        super().__init__({"x": In(1), "q": In(1), "q_n": In(1), "hi": Out(1), "lo": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [self.hi.eq(self.x & self.q), self.lo.eq(self.x & self.q_n)]
        return m
