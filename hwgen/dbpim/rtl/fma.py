"""Pipelined float arithmetic with one rounding: a * b + c, a + b, a * b."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.rtl.floats import FLOAT32, FloatSize, Number, Stages, leading_zeros, number

GUARDS = 3
"""Bits of the sum below the last one of the product; the lowest stands for all that are lost."""


class Total(NamedTuple):
    """A sum before it is rounded, in registers.

    magnitude: bits of which none is lost that rounding needs; top: biased exponent of a sum whose
    leading bit is its highest one
    """

    magnitude: Value
    top: Value
    sign: Value


class Fma(Part):
    """``result = a * b + c`` of finite numbers (IEEE 754), rounded once, ties to even.

    Subnormal numbers and signs of zeros are those of the standard; beyond the largest number the
    result is an infinity. The product has a fixed place in a wide sum, and the addend is shifted
    to it; what falls out of the sum leaves a 1 in its last bit.

    Parameters
    ----------
        size     of the numbers; others than ``FLOAT32`` are for proofs
    Pipeline
        stage 1  fields; the addend moves to its place; two halves of the product
        stage 2  the sum
        stage 3  its magnitude and leading zeros, as many as the exponent allows
        stage 4  the significand moves to the top, and is rounded
    Ports
        enable   in   1     all stages move; else they hold
        a, b, c  in   bits  finite
        result   out  bits
    Latency  ``FLOAT_CYCLES`` edges with `enable`, from operands to result
    Rate     one result in each cycle
    Errors   none; with an operand that is not finite the result means nothing
    Golden   ``golden.ops.float32.fma``
    Source   IEEE 754, fusedMultiplyAdd
    """

    family = "dbpim"
    OPERANDS: tuple[str, ...] = ("a", "b", "c")

    def __init__(self, *, size: FloatSize = FLOAT32) -> None:
        self._size = size
        operands = {name: In(size.bits) for name in self.OPERANDS}
        super().__init__({"enable": In(1), **operands, "result": Out(size.bits)})

    @property
    def size_suffix(self) -> str:
        """The bits of a number."""
        return str(self._size.bits)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stages = Stages(self, m, self.enable)
        magnitude, top, sign = self._sum(m, stages)
        # Stage 3.
        zeros = leading_zeros(m, magnitude, name="zeros")
        shift = stages.hold(Mux(zeros < top, zeros, top - 1)[: len(zeros)], "shift")
        magnitude, top, sign = (
            stages.hold(value, name)
            for value, name in ((magnitude, "magnitude"), (top, "top"), (sign, "sign"))
        )
        # Stage 4.
        significand = (magnitude << shift)[: len(magnitude)]
        self._round(m, stages, significand=significand, exponent=top - shift, sign=sign)
        return m

    @property
    def _width(self) -> int:
        """Places of a sum: a carry, the addend far above the product, the product, guards."""
        return 3 * self._size.significand + 3 + GUARDS

    def _sum(self, m: Module, stages: Stages) -> Total:
        """Place the first two stages; the magnitude is made in the third."""
        size = self._size
        a, b, c = (
            number(m, bits, size, name=name)
            for bits, name in zip((self.a, self.b, self.c), "abc", strict=True)
        )
        negative = a.negative ^ b.negative
        nearer = self._distance(m, a, b, c)
        # An addend so far below the product is lost whatever its distance.
        least = self._width - 1
        distance = Signal(range(least + 1), name="distance_kept")
        m.d.comb += distance.eq(Mux(nearer > least, least, nearer))
        moved = Signal(least + size.significand)
        m.d.comb += moved.eq(Cat(Const(0, least), c.significand) >> distance)
        lost, kept = moved[: size.significand].any(), moved[size.significand :]
        addend = stages.hold(Cat(kept[0] | lost, kept[1:]), "addend")
        top = stages.hold(nearer + c.exponent + 1, "top_of_summands", stages=2)
        both = stages.hold(negative & c.negative, "both_negative", stages=2)
        opposite = stages.hold(negative ^ c.negative, "opposite")
        negative = stages.hold(negative, "product_negative", stages=2)
        # Stage 2.
        product = product_of(stages, a, b) << GUARDS
        total = stages.hold(Mux(opposite, product - addend, product + addend), "total")
        # The sum has the sign of the product unless the addend is the larger one.
        return Total(
            magnitude=Mux(total < 0, -total, total)[: self._width],
            top=top,
            sign=Mux(total == 0, both, negative ^ (total < 0)),
        )

    def _distance(self, m: Module, a: Number, b: Number, c: Number) -> Value:
        """Return how far the addend lies below its highest place; at 0 the product is lost."""
        size = self._size
        difference = Signal(signed(size.exponent + 3))
        distance = Signal(size.exponent + 2)
        none = ~a.significand.any() | ~b.significand.any()
        m.d.comb += [
            difference.eq(a.exponent + b.exponent - c.exponent - size.bias + size.significand + 3),
            distance.eq(Mux((difference < 0) | none, 0, difference)),
        ]
        return distance

    def _round(
        self, m: Module, stages: Stages, *, significand: Value, exponent: Value, sign: Value
    ) -> None:
        """Place the last stage: round, and pack what is left."""
        size = self._size
        kept = significand[-size.significand :]
        half, rest = significand[-size.significand - 1], significand[: -size.significand - 1].any()
        # A carry out of the fraction is one more in the exponent.
        magnitude = Signal(size.fraction + len(exponent))
        up = half & (rest | kept[0])
        biased = Mux(kept[-1], exponent, 0)
        m.d.comb += magnitude.eq(Cat(kept[:-1], biased[: len(exponent)]) + up)
        infinity = Const(size.infinite << size.fraction, size.bits - 1)
        beyond = magnitude >= infinity
        m.d.comb += self.result.eq(
            stages.hold(Cat(Mux(beyond, infinity, magnitude)[: size.bits - 1], sign), "rounded")
        )


def product_of(stages: Stages, a: Number, b: Number) -> Value:
    """Return the product of two significands, a stage later and to be added up."""
    half = len(b.significand) // 2
    low = stages.hold(a.significand * b.significand[:half], "low")
    high = stages.hold(a.significand * b.significand[half:], "high")
    return ((high << half) + low)[: len(a.significand) + len(b.significand)]


class FloatAdder(Fma):
    """``result = a + b``: the larger summand has a fixed place, and the smaller one moves.

    Ports
        enable  in   1     all stages move; else they hold
        a, b    in   bits  finite
        result  out  bits
    Latency  ``FLOAT_CYCLES`` edges with `enable`, from operands to result
    Rate     one result in each cycle
    Errors   none; with an operand that is not finite the result means nothing
    Golden   ``golden.ops.float32.add``
    Source   IEEE 754, addition
    """

    OPERANDS = ("a", "b")

    def _sum(self, m: Module, stages: Stages) -> Total:
        """Place the first two stages: sort and move, then add."""
        size = self._size
        swaps = self.b[:-1] > self.a[:-1]
        larger, smaller = (
            number(m, Mux(swaps, *pair), size, name=name)
            for pair, name in (((self.b, self.a), "larger"), ((self.a, self.b), "smaller"))
        )
        difference = larger.exponent - smaller.exponent
        least = size.significand + GUARDS - 1
        distance = Signal(range(least + 1))
        m.d.comb += distance.eq(Mux(difference > least, least, difference))
        distance = stages.hold(distance, "distance")
        first = Cat(Const(0, GUARDS), stages.hold(larger.significand, "first"))
        second = stages.hold(smaller.significand, "second")
        opposite = stages.hold(larger.negative ^ smaller.negative, "opposite")
        top = stages.hold(larger.exponent + 1, "top_of_summands", stages=2)
        both = stages.hold(larger.negative & smaller.negative, "both_negative", stages=2)
        negative = stages.hold(larger.negative, "larger_negative", stages=2)
        # Stage 2.
        moved = Signal(2 * size.significand + GUARDS - 1)
        m.d.comb += moved.eq(Cat(Const(0, least), second) >> distance)
        lost, kept = moved[: size.significand - 1].any(), moved[size.significand - 1 :]
        addend = Cat(kept[0] | lost, kept[1:])
        total = Mux(opposite, first - addend, first + addend)[: size.significand + GUARDS + 1]
        magnitude = stages.hold(total, "total")
        return Total(magnitude=magnitude, top=top, sign=Mux(magnitude.any(), negative, both))


class FloatMultiplier(Fma):
    """``result = a * b``: the product has places above it, for results below the normal numbers.

    Ports
        enable  in   1     all stages move; else they hold
        a, b    in   bits  finite
        result  out  bits
    Latency  ``FLOAT_CYCLES`` edges with `enable`, from operands to result
    Rate     one result in each cycle
    Errors   none; with an operand that is not finite the result means nothing
    Golden   ``golden.ops.float32.multiply``
    Source   IEEE 754, multiplication
    """

    OPERANDS = ("a", "b")

    def _sum(self, m: Module, stages: Stages) -> Total:
        """Place the first two stages: two halves of the product, then their sum."""
        size = self._size
        a, b = (number(m, bits, size, name=name) for bits, name in ((self.a, "a"), (self.b, "b")))
        above = size.significand + 1
        top = Signal(range(2 << size.exponent))
        exponent = Signal(signed(size.exponent + 2))
        m.d.comb += [
            exponent.eq(a.exponent + b.exponent + above + 1 - size.bias),
            # One so small is lost below the last place, and only not zero.
            top.eq(Mux(exponent < 1, 1, exponent)),
        ]
        product = stages.hold(product_of(stages, a, b), "product")
        return Total(
            magnitude=Cat(product, Const(0, above)),
            top=stages.hold(top, "top_of_product", stages=2),
            sign=stages.hold(a.negative ^ b.negative, "sign_of_product", stages=2),
        )
