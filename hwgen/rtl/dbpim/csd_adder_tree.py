"""Adder tree of the sparse design: sums one cell column of signed dyadic blocks."""

from amaranth.hdl import Cat, Module, Mux, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.layouts import cell_meta
from hwgen.rtl.part import Part
from hwgen.spec.csd import BLOCKS
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.widths import bits_for_range

LARGEST_TERM = (2 + 1) << (2 * (BLOCKS - 1))
"""Both products set at the highest block index; a cell sets at most one of them."""


class CsdAdderTree(Part):
    """Adds one cell column over all compartments as a balanced tree of exact width.

    ``sum = sum((-1 if negative else 1) * (2 * hi + lo) << (2 * index))`` over the compartments

    Ports
        hi    in   compartments              products of weight 2
        lo    in   compartments              products of weight 1
        meta  in   compartments x cell_meta  sign and block index of each cell
        sum   out  sum_bits                  two's complement, exact for every input
    Latency  0
    Rate     one sum in each cycle
    Errors   none
    Golden   ``golden.dbpim.csd_adder_tree``
    Source   seed 002, V-C

    Example: ``hi`` = 1, ``lo`` = 0, index 1, negative: the cell adds -(2 << 2) = -8.
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        compartments = arch.macro.compartments
        super().__init__(
            {
                "hi": In(compartments),
                "lo": In(compartments),
                "meta": In(data.ArrayLayout(cell_meta(), compartments)),
                "sum": Out(signed(column_sum_bits(arch))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        terms = [
            term(hi=hi, lo=lo, meta=meta)
            for hi, lo, meta in zip(self.hi, self.lo, self.meta, strict=True)
        ]
        m.d.comb += self.sum.eq(sum_of(terms))
        return m


def column_sum_bits(arch: Arch) -> int:
    """Return the width of a column's sum."""
    largest = arch.macro.compartments * LARGEST_TERM
    return bits_for_range(-largest, largest)


def term(*, hi: Value, lo: Value, meta: data.View) -> Value:
    """Return what one cell adds; negating 2 bits before the shift is cheaper than 8 after it."""
    pair = Cat(lo, hi)
    return Mux(meta.negative, -pair, pair) << (meta.index << 1)


def sum_of(terms: list[Value]) -> Value:
    """Return the sum of a power of two terms as a balanced tree, one bit wider at each level."""
    while len(terms) > 1:
        terms = [low + high for low, high in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]
