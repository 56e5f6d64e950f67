"""Requantization of a sum to an element of a map, for one filter, one channel or one lane.

Tests: `tests/verif/common/test_requantizer.py`.
"""

from collections.abc import Callable, Mapping, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.shared import SharedPart
from hwgen.chip.rtl.split_sums import split_product
from hwgen.chip.widths import bits_for_index
from hwgen.network import quantization

SHIFT_BITS = bits_for_index(quantization.MOST_SHIFT + 1)
SUM_BITS = 31
"""Bits of the magnitude of a sum that rounds as float32."""
ROUNDING_BITS = bits_for_index(len(quantization.ROUNDING_CODES))
MAGNITUDE_BITS = SUM_BITS + quantization.SIGNIFICANT_BITS
"""Bits of a product that rounds as float32."""
MOST_PLACES = quantization.SIGNIFICANT_BITS + 2
"""Places from which on every number of 24 significant bits is below a quarter."""
STAGES = 3
"""Stages of a requantizer that does not compute in one cycle."""


class Requantizer(SharedPart):
    """Fixed-point scaling, zero point and clip, with the roundings that a chip names.

    ``product = sum * multiplier``;
    ``result = clip(round(product, shift) + zero_point, low, high)``, where ``round`` is

    - half_up: ``(product + 2**(shift - 1)) >> shift``
    - float32: the sum, of up to 32 bits, and the magnitude of its product to 24 significant bits,
      then that over ``2**shift``: each to nearest, ties to even
    - tflite: ``v = (product + 2**30) >> 31``, then v over ``2**(shift - 31)``, halves away from 0

    Parameters
    ----------
        family           prefix of the module name
        roundings        those that ``rounding`` may choose, without repetition
        stages           1, or ``STAGES`` where sums round as float32 at a short clock
        split            whether the product is that of `split_product`, for a short clock
        accumulator_bits, multiplier_bits, element_bits  widths; the sum is signed
    Ports
        enable       in   stages           load accumulator and shift
        accumulator  in   signed accumulator_bits
        multiplier   in   multiplier_bits  unsigned
        shift        in   6                half_up 1 to 47, float32 1 to 63, tflite 31 to 62
        rounding     in   2                a code of ``ROUNDING_CODES``, held from `enable` to the
                                           cycle of `result` [absent if there is one rounding]
        zero_point, low, high  in  element_bits  unsigned, used in the cycle of `result`
        product      out  signed accumulator_bits  lowest bits of the product, for sums that stay
        result       out  element_bits     unsigned
    Latency  1 cycle from `enable` to `product` and `result`, which hold until the next
    Rate     1 a cycle
    Stages   ``STAGES`` are registers of the sum, in 24 bits if anything multiplies it; of the
             product; of the product in 24 bits. Bit k of `enable` loads register k, each from the
             one before; from the last bit it is 1 cycle to `product` and `result`
    Errors   none
    Golden   ``golden.ops.requantize.requantize``
    Source   formulas and vectors in ``hwgen.network.quantization``
    """

    def __init__(
        self,
        *,
        family: str,
        roundings: Sequence[quantization.Rounding],
        accumulator_bits: int,
        multiplier_bits: int,
        element_bits: int,
        stages: int = 1,
        split: bool = False,
    ) -> None:
        self._stages, self._split = stages, split
        self._roundings = tuple(roundings)
        self._sizes = (accumulator_bits, multiplier_bits, element_bits)
        members = {
            "enable": In(stages),
            "accumulator": In(signed(accumulator_bits)),
            "multiplier": In(multiplier_bits),
            "shift": In(SHIFT_BITS),
            "zero_point": In(element_bits),
            "low": In(element_bits),
            "high": In(element_bits),
            "product": Out(signed(accumulator_bits)),
            "result": Out(element_bits),
        }
        if len(self._roundings) > 1:
            members["rounding"] = In(ROUNDING_BITS)
        super().__init__(members, family=family)

    @property
    def size_suffix(self) -> str:
        """The widths, such as "32x16"."""
        return "x".join(str(size) for size in self._sizes[:2])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Multiply.
        accumulator_bits, multiplier_bits, _ = self._sizes
        product = Signal(signed(accumulator_bits + multiplier_bits), name="product_kept")
        shift = Signal(SHIFT_BITS, name="shift_kept")
        self.guarded(product, shift)
        total, multiplier, given_shift = self._to_multiply(m)
        found = split_product(m, total, multiplier) if self._split else total * multiplier
        with m.If(self.enable[-2] if self._stages > 1 else self.enable):
            m.d.sync += [product.eq(found), shift.eq(given_shift)]

        # Round and shift, add the zero point and clip. A rounded product is given in halves,
        # ``(halves + 1) >> 1``: one addition is for its half and the zero point.
        values = {"product": product, "shift": shift}
        if "float32" in self._roundings:
            values |= self._significant_product(m, product, shift)
        if self._stages > 1:
            values = self._keep(m, self.enable[-1], values, name="last")
        product, shift = values.pop("product"), values.pop("shift")
        ways: dict[quantization.Rounding, Callable[[], Value]] = {
            "half_up": lambda: self._half_up(m, product, shift),
            "float32": lambda: self._float32(m, **values),
            "tflite": lambda: self._tflite(m, product, shift),
        }
        rounded = [ways[rounding]() for rounding in self._roundings]
        halves = Signal(signed(max(len(each) for each in rounded)))
        m.d.comb += halves.eq(rounded[0])
        for rounding, value in zip(self._roundings[1:], rounded[1:], strict=True):
            with m.If(self.rounding == quantization.ROUNDING_CODES[rounding]):
                m.d.comb += halves.eq(value)
        moved = Signal(signed(len(halves)))
        m.d.comb += [
            self.product.eq(product),
            moved.eq((halves + Cat(Const(1, 1), self.zero_point)) >> 1),
            self.result.eq(
                Mux(moved < self.low, self.low, Mux(moved > self.high, self.high, moved))
            ),
        ]
        return m

    def _to_multiply(self, m: Module) -> tuple[Value, Value, Value]:
        """Return sum, multiplier and shift of the multiplier, the sum rounded.

        A sum that nothing multiplies comes late: it is rounded behind its register.
        """
        rounds = "float32" in self._roundings
        late = self._stages > 1 and len(self.multiplier) == 1
        total = self._significant(m, self.accumulator) if rounds and not late else self.accumulator
        if self._stages == 1:
            return total, self.multiplier, self.shift
        given = {"sum": total, "multiplier": self.multiplier, "shift": self.shift}
        kept = self._keep(m, self.enable[0], given, name="given")
        total = self._significant(m, kept["sum"]) if rounds and late else kept["sum"]
        return total, kept["multiplier"], kept["shift"]

    def _keep(
        self, m: Module, enable: Value, values: Mapping[str, Value], *, name: str
    ) -> dict[str, Value]:
        """Return registers of a stage with these values."""
        kept = {
            each: Signal(value.shape(), name=f"{each}_{name}") for each, value in values.items()
        }
        self.guarded(*kept.values())
        with m.If(enable):
            m.d.sync += [kept[each].eq(value) for each, value in values.items()]
        return {**kept}

    def _significant(self, m: Module, given: Value) -> Value:
        """Return a sum, in 24 significant bits where it rounds as float32, ties to even."""
        # Bits from the 25th on that are no sign; of a negative number those of its complement.
        excess = Signal(range(SUM_BITS - quantization.SIGNIFICANT_BITS + 1), name="excess_of_sum")
        for bit in range(quantization.SIGNIFICANT_BITS, SUM_BITS):
            with m.If(given[bit] != given[-1]):
                m.d.comb += excess.eq(bit - quantization.SIGNIFICANT_BITS + 1)
        half, odd = Signal(SUM_BITS - quantization.SIGNIFICANT_BITS), Signal()
        rounded, total = Signal(signed(len(given) + 1)), Signal(signed(len(given) + 1))
        m.d.comb += [
            half.eq((1 << excess) >> 1),
            odd.eq((given >> excess)[0] & (excess != 0)),
            rounded.eq(((given + half - (half != 0) + odd) >> excess) << excess),
            total.eq(given),
        ]
        if len(self._roundings) == 1:
            return rounded
        return Mux(self.rounding == quantization.ROUNDING_CODES["float32"], rounded, total)

    def _half_up(self, m: Module, product: Value, shift: Value) -> Value:
        """Return the product over 2**shift in halves, down: the half above goes up."""
        return in_halves(product) >> shift

    def _significant_product(self, m: Module, product: Value, shift: Value) -> dict[str, Value]:
        """Return a product in 24 significant bits, ties to even, and what is left of its shift.

        significant: its magnitude, up to 2**24; places: those that it is shifted by, up to
        ``MOST_PLACES``; large: none is left, it is 2**24 or more; negative: its sign
        """
        magnitude = Signal(MAGNITUDE_BITS)
        m.d.comb += magnitude.eq(Mux(product < 0, -product, product))
        # Bits of the magnitude beyond 24.
        excess = Signal(range(MAGNITUDE_BITS - quantization.SIGNIFICANT_BITS + 1))
        for bit in range(quantization.SIGNIFICANT_BITS, MAGNITUDE_BITS):
            with m.If(magnitude[bit]):
                m.d.comb += excess.eq(bit - quantization.SIGNIFICANT_BITS + 1)
        significant = Signal(quantization.SIGNIFICANT_BITS + 1)
        lost = MAGNITUDE_BITS - quantization.SIGNIFICANT_BITS
        m.d.comb += significant.eq(to_even(m, magnitude, excess, most=lost, name="significant"))
        # What is left of the shift. Beyond `most` everything is below a quarter; before 0 the
        # number is 2**24 or more, which every clip cuts.
        left, most = Signal(signed(SHIFT_BITS + 1)), MOST_PLACES
        amount = Signal(range(most + 1))
        m.d.comb += [
            left.eq(shift - excess),
            amount.eq(Mux(left < 0, 0, Mux(left > most, most, left))),
        ]
        return {
            "significant": significant,
            "places": amount,
            "large": left < 0,
            "negative": product < 0,
        }

    def _float32(
        self, m: Module, *, significant: Value, places: Value, large: Value, negative: Value
    ) -> Value:
        """Return a product in 24 significant bits over 2**places, ties to even, by magnitude."""
        scaled = to_even(m, significant, places, most=MOST_PLACES, name="scaled")
        size = Signal(quantization.SIGNIFICANT_BITS + 1, name="large")
        result = Signal(signed(quantization.SIGNIFICANT_BITS + 2), name="scaled_with_sign")
        m.d.comb += [
            size.eq(Mux(large, (1 << (quantization.SIGNIFICANT_BITS + 1)) - 1, scaled)),
            result.eq(Mux(negative, -size, size)),
        ]
        return in_halves(result)

    def _tflite(self, m: Module, product: Value, shift: Value) -> Value:
        """Return the product over 2**31, ties up, then over the rest of the shift, ties away."""
        first = Signal(signed(len(product) - quantization.SIGNED_BITS + 1))
        magnitude, half = Signal(len(first)), Signal(quantization.SIGNED_BITS)
        places = Signal(bits_for_index(quantization.SIGNED_BITS + 1))
        m.d.comb += [
            first.eq((product + (1 << (quantization.SIGNED_BITS - 1))) >> quantization.SIGNED_BITS),
            places.eq(shift - quantization.SIGNED_BITS),
            half.eq((1 << places) >> 1),
            magnitude.eq(Mux(first < 0, -first, first)),
        ]
        away = Signal(len(first))
        result = Signal(signed(len(first) + 1), name="away_with_sign")
        m.d.comb += [
            away.eq((magnitude + half) >> places),
            result.eq(Mux(first < 0, -away, away)),
        ]
        return in_halves(result)


def in_halves(value: Value) -> Value:
    """Return twice a signed value."""
    return Cat(Const(0, 1), value).as_signed()


def to_even(m: Module, value: Value, amount: Value, *, most: int, name: str) -> Value:
    """Return an unsigned value over 2**amount, rounded to nearest, ties to even.

    amount: up to `most`
    """
    shifted = Signal(len(value) + most, name=f"{name}_shifted")
    m.d.comb += shifted.eq(Cat(Const(0, most), value) >> amount)
    whole, half, rest = shifted[most:], shifted[most - 1], shifted[: most - 1].any()
    return whole + (half & (rest | whole[0]))
