"""Named full and half adders: a synthesis places the cells of its library for them.

Tests: `tests/verif/dbpim/test_foreign_dots.py`.
"""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part


class FullAdder(Part):
    """Adds three bits of one weight: ``sum + 2 * carry = a + b + c``.

    Ports
        a, b, c  in   1
        sum      out  1  of the weight of the inputs
        carry    out  1  of twice that weight
    Latency  0
    Rate     one sum in each cycle
    Errors   none
    Golden   the formula
    Source   a full adder
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self) -> None:
        super().__init__({"a": In(1), "b": In(1), "c": In(1), "sum": Out(1), "carry": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        half = self.a ^ self.b
        m.d.comb += [
            self.sum.eq(half ^ self.c),
            self.carry.eq((self.a & self.b) | (half & self.c)),
        ]
        return m


class HalfAdder(Part):
    """Adds two bits of one weight: ``sum + 2 * carry = a + b``.

    Ports
        a, b   in   1
        sum    out  1  of the weight of the inputs
        carry  out  1  of twice that weight
    Latency  0
    Rate     one sum in each cycle
    Errors   none
    Golden   the formula
    Source   a half adder
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self) -> None:
        super().__init__({"a": In(1), "b": In(1), "sum": Out(1), "carry": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [self.sum.eq(self.a ^ self.b), self.carry.eq(self.a & self.b)]
        return m
