"""Pipelined float arithmetic with one rounding: a * b + c, a + b, a * b."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.rtl.floats import FLOAT32, FloatSize, Number, Stages, leading_zeros, number

GUARDS = 3
"""Bits of the sum below the last one of the product; the lowest stands for all that are lost."""
FINE = 3
"""Bits of a distance by which the second of two shifts moves the addend."""


class Summands(NamedTuple):
    """What is summed: product and addend at their places of the sum.

    top: biased exponent of a sum whose leading bit is its highest place; opposite: one is negative
    negative: the product is; both: both are
    """

    product: Value
    addend: Value
    top: Value
    opposite: Value
    negative: Value
    both: Value


class Fma(Part):
    """``result = a * b + c`` of finite numbers (IEEE 754), rounded once, ties to even.

    Subnormal numbers and signs of zeros are those of the standard; beyond the largest number the
    result is an infinity. The product has a fixed place in a wide sum, and the addend is shifted
    to it; what falls out of the sum leaves a 1 in its last bit.

    Parameters
    ----------
        size     of the numbers; others than ``FLOAT32`` are for proofs
    Pipeline
        stage 1  fields, and the distance of the addend
        stage 2  two halves of the product; the addend moves by a multiple of 8
        stage 3  the product; the addend moves by the rest
        stage 4  sum
        stage 5  its magnitude
        stage 6  its leading zeros, as many as the exponent allows
        stage 7  the significand moves to the top
        stage 8  it is rounded
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

    def operands(self) -> tuple[Value, Value, Value]:
        """Return the factors and the addend."""
        return self.a, self.b, self.c

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stages = Stages(m, self.enable)
        summands = self._align(m, stages)
        # Stage 4.
        total = stages.hold(
            Mux(
                summands.opposite,
                summands.product - summands.addend,
                summands.product + summands.addend,
            ),
            "total",
        )
        negative, both, top = (
            stages.hold(value, name)
            for value, name in (
                (summands.negative, "negative"),
                (summands.both, "both"),
                (summands.top, "top"),
            )
        )
        # Stage 5. The sum has the sign of the product unless the addend is the larger one.
        sign = stages.hold(Mux(total == 0, both, negative ^ (total < 0)), "sign", stages=3)
        magnitude = stages.hold(Mux(total < 0, -total, total)[: self._width], "magnitude")
        top = stages.hold(top, "top_of_magnitude")
        # Stage 6.
        zeros = leading_zeros(m, magnitude, name="zeros")
        shift = stages.hold(Mux(zeros < top, zeros, top - 1)[: len(zeros)], "shift")
        magnitude, top = stages.hold(magnitude, "shifted_by"), stages.hold(top, "top_of_shifted")
        # Stage 7.
        significand = stages.hold((magnitude << shift)[: self._width], "significand")
        exponent = stages.hold(top - shift, "exponent")
        self._round(m, stages, significand=significand, exponent=exponent, sign=sign)
        return m

    @property
    def _width(self) -> int:
        """Places of a sum: a carry, the addend far above the product, the product, guards."""
        return 3 * self._size.significand + 3 + GUARDS

    def _align(self, m: Module, stages: Stages) -> Summands:
        """Place the first three stages, and return what they make."""
        size = self._size
        a, b, c = (
            number(m, bits, size, name=name)
            for bits, name in zip(self.operands(), "abc", strict=True)
        )
        negative = a.negative ^ b.negative
        nearer = self._distance(m, a, b, c)
        # An addend so far below the product is lost whatever its distance.
        least = self._width - 1
        distance = Signal(range(least + 1))
        m.d.comb += distance.eq(Mux(nearer > least, least, nearer))
        distance = stages.hold(distance, "distance")
        # Stage 2.
        half = size.significand // 2
        first, second = stages.hold(a.significand, "first"), stages.hold(b.significand, "second")
        low = stages.hold(first * second[:half], "low")
        high = stages.hold(first * second[half:], "high")
        given = Cat(Const(0, least), stages.hold(c.significand, "addend"))
        coarse = stages.hold(given >> (distance & -(1 << FINE))[: len(distance)], "coarse")
        fine = stages.hold(distance[:FINE], "fine")
        # Stage 3.
        product = stages.hold(((high << half) + low) << GUARDS, "product")
        moved = Signal(len(coarse))
        m.d.comb += moved.eq(coarse >> fine)
        lost = moved[: size.significand].any()
        addend = moved[size.significand :]
        return Summands(
            product=product,
            addend=stages.hold(Cat(addend[0] | lost, addend[1:]), "aligned"),
            top=stages.hold(nearer + c.exponent + 1, "top_of_summands", stages=3),
            opposite=stages.hold(negative ^ c.negative, "opposite", stages=3),
            negative=stages.hold(negative, "product_negative", stages=3),
            both=stages.hold(negative & c.negative, "both_negative", stages=3),
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


class FloatAdder(Fma):
    """``result = a + b``: an ``Fma`` without its multiplier.

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

    def operands(self) -> tuple[Value, Value, Value]:
        """Return the factors a and 1, and b."""
        one = self._size.bias << self._size.fraction
        return self.a, Const(one, self._size.bits), self.b


class FloatMultiplier(Fma):
    """``result = a * b``: an ``Fma`` without an addend.

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

    def operands(self) -> tuple[Value, Value, Value]:
        """Return the factors, and a zero of the sign of their product."""
        zero = Cat(Const(0, self._size.bits - 1), self.a[-1] ^ self.b[-1])
        return self.a, self.b, zero
