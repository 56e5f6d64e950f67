"""Sequential division, two bits of the quotient in each cycle, and square root, a bit a cycle.

Tests: `tests/verif/dbpim/test_floats.py`.
"""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.timing import DIVISION_BITS, DIVISION_CYCLES, ROOT_STEPS
from hwgen.dbpim.rtl.floats import FLOAT32, leading_zeros

DIVIDEND_BITS = 48
"""Significand of a dividend: an exact sum, or a float32 with zeros below."""
EXPONENT_BITS = 12
"""Exponents in between, which float32 does not hold."""


class Quotient(NamedTuple):
    """Registers of a division: bits of the quotient, and what is left of the dividend."""

    bits: Signal
    rest: Signal
    below: Signal

    def rounded(self, m: Module, *, exponent: Value) -> Value:
        """Return magnitude and exponent of the nearest float; the quotient has 25 bits or 26.

        exponent: of the dividend's last bit over the divisor's, biased
        """
        size = FLOAT32
        lost = self.rest.any() | self.below.any()
        long = self.bits[-1]
        kept = Mux(long, self.bits[2:], self.bits[1:-1])
        half = Mux(long, self.bits[1], self.bits[0])
        sticky = lost | (long & self.bits[0])
        top = exponent + DIVIDEND_BITS - 2 + long
        magnitude = Signal(size.bits - 1)
        m.d.comb += magnitude.eq(
            Cat(kept[: size.fraction], top[: size.exponent]) + (half & (sticky | kept[0]))
        )
        return Mux(top > 0, magnitude, 0)


def fitted(rest: Value, divisor: Value) -> tuple[Value, Value]:
    """Return whether a divisor fits into what is left of a dividend, and what it leaves."""
    fits = rest >= divisor
    return fits, Mux(fits, rest - divisor, rest)[: len(divisor)]


class FloatDivider(Part):
    """``result = dividend / divisor``, rounded once to nearest even; digit by digit, restoring.

    A dividend is ``significand * 2**exponent`` with a sign, so that an exact sum needs no rounding
    of its own; a divisor is a positive float32. Each cycle subtracts it twice, where it fits.

    Ports
        enable       in   1        all registers move; else they hold
        start        in   1        operands are taken; not while `busy`
        negative     in   1        of the dividend
        significand  in   48       of the dividend, from 0
        exponent     in   s12      of the lowest bit of its significand
        divisor      in   31       normal float32 above 0, without its sign
        busy         out  1
        result       out  32       float32, of the last division until the next `start`
    Latency  ``DIVISION_CYCLES`` edges with `enable` from `start` to the result; `busy` in between
    Rate     one division in ``DIVISION_CYCLES``
    Errors   none; a result below the normal numbers is zero, one beyond the largest means nothing
    Golden   ``golden.ops.float32.divide`` and ``golden.ops.float32.quotient``
    Source   IEEE 754, division
    """

    family = "dbpim"

    def __init__(self) -> None:
        super().__init__(
            {
                "enable": In(1),
                "start": In(1),
                "negative": In(1),
                "significand": In(DIVIDEND_BITS),
                "exponent": In(signed(EXPONENT_BITS)),
                "divisor": In(FLOAT32.bits - 1),
                "busy": Out(1),
                "result": Out(FLOAT32.bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size = FLOAT32
        step = Signal(range(DIVISION_CYCLES))
        negative, zero = Signal(name="negative_kept"), Signal()
        exponent = Signal(signed(EXPONENT_BITS + 1), name="exponent_kept")
        # The dividend moves up through `rest`; bits of the quotient enter below.
        rest, below = Signal(size.significand + 1), Signal(DIVIDEND_BITS - size.significand)
        divisor = Signal(size.significand, name="divisor_kept")
        quotient = Signal(DIVISION_BITS)
        m.d.comb += self.busy.eq(step != 0)
        # Cycle 0: the operands are taken, the dividend as it is.
        given = Signal(DIVIDEND_BITS)
        self.guarded(given, negative, exponent, zero, rest, below, divisor, quotient)
        with m.If(self.enable & self.start):
            m.d.sync += [
                given.eq(self.significand),
                negative.eq(self.negative),
                exponent.eq(self.exponent - self.divisor[size.fraction :]),
                divisor.eq(Cat(self.divisor[: size.fraction], 1)),
                step.eq(1),
            ]
        # Cycle 1: its leading bit moves to the top.
        zeros = leading_zeros(m, given, name="zeros")
        normal = (given << zeros)[:DIVIDEND_BITS]
        with m.If(self.enable & (step == 1)):
            m.d.sync += [
                rest.eq(normal[-size.significand :]),
                below.eq(normal[: -size.significand]),
                exponent.eq(exponent - zeros),
                zero.eq(given == 0),
                step.eq(2),
            ]
        # Two bits of the quotient in each cycle.
        first, left = fitted(rest, divisor)
        second, last = fitted(Cat(below[-1], left), divisor)
        with m.Elif(self.enable & self.busy):
            m.d.sync += [
                quotient.eq(Cat(second, first, quotient)),
                rest.eq(Cat(below[-2], last)),
                below.eq(Cat(Const(0, 2), below)),
                step.eq(Mux(step == DIVISION_CYCLES - 1, 0, step + 1)),
            ]
        registers = Quotient(bits=quotient, rest=rest, below=below)
        magnitude = registers.rounded(m, exponent=exponent + 2 * size.bias)
        m.d.comb += self.result.eq(Cat(Mux(zero, 0, magnitude)[: size.bits - 1], negative))
        return m


class FloatRoot(Part):
    """``result = sqrt(value)`` of a normal float32 above 0, rounded to nearest even.

    Ports
        enable  in   1   all registers move; else they hold
        start   in   1   the value is taken; not while `busy`
        value   in   31  normal float32 above 0, without its sign
        busy    out  1
        result  out  31  float32 without its sign, of the last root until the next `start`
    Latency  ``ROOT_CYCLES`` edges with `enable` from `start` to the result; `busy` in between
    Rate     one root in ``ROOT_CYCLES``
    Errors   none
    Golden   ``golden.ops.float32.root``
    Source   IEEE 754, squareRoot
    """

    family = "dbpim"

    def __init__(self) -> None:
        bits = FLOAT32.bits
        super().__init__(
            {
                "enable": In(1),
                "start": In(1),
                "value": In(bits - 1),
                "busy": Out(1),
                "result": Out(bits - 1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size = FLOAT32
        step = Signal(range(ROOT_STEPS + 1))
        exponent, odd = Signal(size.exponent), self.value[size.fraction]
        # A radicand whose exponent is even, in [2**24, 2**26): its root has 13 whole bits.
        significand = Cat(self.value[: size.fraction], 1)
        radicand = Signal(size.significand + 2)
        root, rest = Signal(ROOT_STEPS), Signal(ROOT_STEPS + 1)
        m.d.comb += self.busy.eq(step != 0)
        with m.If(self.enable & self.start):
            m.d.sync += [
                radicand.eq(Mux(odd, significand << 1, significand << 2)),
                exponent.eq(self.value[size.fraction + 1 :] + (size.bias >> 1) + odd),
                root.eq(0),
                rest.eq(0),
                step.eq(1),
            ]
        # A bit of the root in each cycle, and two of the radicand.
        grown, tried = Cat(radicand[-2:], rest), Cat(Const(1, 2), root)
        fits = grown >= tried
        with m.Elif(self.enable & self.busy):
            m.d.sync += [
                radicand.eq(radicand << 2),
                root.eq(Cat(fits, root)),
                rest.eq(Mux(fits, grown - tried, grown)),
                step.eq(Mux(step == ROOT_STEPS, 0, step + 1)),
            ]
        # A half is never a tie: a root of 25 bits has a square of more than 24.
        m.d.comb += self.result.eq(Cat(root[1:-1], exponent) + root[0])
        return m
