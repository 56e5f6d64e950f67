"""Sum of positive floats, one a cycle, each step rounded.

Tests: `tests/verif/dbpim/test_floats.py`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.rtl.floats import FLOAT32, number


class FloatSum(Part):
    """``total = total + value`` of float32 that are not negative, rounded to nearest even.

    The smaller one is shifted to the larger one; without a difference nothing cancels, so that a
    carry is all that moves the leading bit.

    Ports
        clear   in   1   the total is zero from the next cycle on
        enable  in   1   a value is added; not with `clear`
        value   in   32  float32, from 0
        total   out  32  float32
    Latency  1 cycle from `enable` to the total
    Rate     one value in each cycle
    Errors   none; a total beyond the largest number means nothing
    Golden   ``golden.ops.float32.add``
    Source   IEEE 754, addition
    """

    family = "dbpim"

    def __init__(self) -> None:
        bits = FLOAT32.bits
        super().__init__({"clear": In(1), "enable": In(1), "value": In(bits), "total": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        total = self.total
        more = self.value > total
        larger, smaller = (
            number(m, Mux(more, first, second), FLOAT32, name=name)
            for first, second, name in (
                (self.value, total, "larger"),
                (total, self.value, "smaller"),
            )
        )
        # Two bits behind the significand: a half, and whether anything is lost below.
        places = FLOAT32.significand + 2
        distance = Signal(range(places + 1))
        difference = larger.exponent - smaller.exponent
        m.d.comb += distance.eq(Mux(difference > places, places, difference))
        moved = Signal(2 * places)
        m.d.comb += moved.eq(Cat(Const(0, places + 2), smaller.significand) >> distance)
        lost = moved[: places + 1].any()
        exact = Signal(places + 1)
        m.d.comb += exact.eq(Cat(Const(0, 2), larger.significand) + Cat(lost, moved[places + 1 :]))
        carry = exact[-1]
        kept = Signal(FLOAT32.significand)
        m.d.comb += kept.eq(Mux(carry, exact[3:], exact[2:-1]))
        half = Mux(carry, exact[2], exact[1])
        rest = exact[0] | (carry & exact[1])
        biased = Mux(kept[-1], larger.exponent + carry, 0)
        with m.If(self.clear):
            m.d.sync += total.eq(0)
        with m.Elif(self.enable):
            m.d.sync += total.eq(
                Cat(kept[:-1], biased[: FLOAT32.exponent]) + (half & (rest | kept[0]))
            )
        return m
