"""Requantization: the formulas that training, golden and RTL each implement, and test vectors.

    y = clip(round(acc, M, s) + zero_point, low, high)

    half_up   (acc * M + 2**(s - 1)) >> s                  arithmetic shift: ties go up
    float32   acc to 24 significant bits, times M, the product to 24 significant bits, over 2**s:
              each rounds ties to even, of the magnitude
    tflite    v = (acc * M + 2**30) >> 31, then v over 2**(s - 31), ties away from zero

acc: int32; y, zero_point, low, high: uint8. ReLU and ReLU6 are the clip. What training writes, and
what every chip runs, is `half_up` with M of 16 bits; `float32` is the arithmetic of XNNPACK and
onnxruntime, `tflite` that of the reference kernels of LiteRT.

Residual add: acc * M becomes (a - za) * Ma + (b - zb) * Mb with one common shift.
Average pool: acc = sum over n inputs of (x - zx), and 1 / n is part of M.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Rounding = Literal["half_up", "float32", "tflite"]
"""How sums become elements of a map."""
HALF_UP: Rounding = "half_up"
ROUNDING_CODES: dict[Rounding, int] = {"half_up": 0, "float32": 1, "tflite": 2}
"""How chips encode a rounding."""

MULTIPLIER_BITS = 16
MULTIPLIER_LOW = 1 << (MULTIPLIER_BITS - 1)
MULTIPLIER_HIGH = (1 << MULTIPLIER_BITS) - 1
SHIFT_LOW = 1
SHIFT_HIGH = 47
"""Ranges of `half_up` for sums of any width; `FACTORS` has the wider ones of sums below 2**31."""
SIGNIFICANT_BITS = 24
"""Bits of the significand of a float32."""
SIGNED_BITS = 31
"""Bits of a multiplier of the reference kernels of LiteRT, and of the first of its shifts."""
ACCUMULATOR_LOW = -(1 << 31)
ACCUMULATOR_HIGH = (1 << 31) - 1


class Factors(NamedTuple):
    """Least and largest multiplier and shift."""

    multiplier_low: int
    multiplier_high: int
    shift_low: int
    shift_high: int


ANY_SUMS = Factors(MULTIPLIER_LOW, MULTIPLIER_HIGH, SHIFT_LOW, SHIFT_HIGH)
"""Factors of `half_up` that sums of any width may have."""
FACTORS: dict[Rounding, Factors] = {
    "half_up": Factors(MULTIPLIER_LOW, (1 << SIGNED_BITS) - 1, SHIFT_LOW, 2 * SIGNED_BITS),
    "float32": Factors(
        1 << (SIGNIFICANT_BITS - 1), (1 << SIGNIFICANT_BITS) - 1, SHIFT_LOW, 2 * SIGNED_BITS + 1
    ),
    "tflite": Factors(1 << (SIGNED_BITS - 2), (1 << SIGNED_BITS) - 1, SIGNED_BITS, 2 * SIGNED_BITS),
}
"""Factors of sums below 2**31 by rounding; sums beyond have those of `ANY_SUMS`.

A mean of `tflite` divides its multiplier by its elements, which leaves it from 2**29.
"""
MOST_SHIFT = max(factors.shift_high for factors in FACTORS.values())
MOST_MULTIPLIER = max(factors.multiplier_high for factors in FACTORS.values())


class Requantization(NamedTuple):
    """One worked case: inputs of the formula and the expected byte."""

    accumulator: int
    multiplier: int
    shift: int
    zero_point: int
    low: int
    high: int
    output: int


# Each line is computed by hand: ties round up (2.5 -> 3, -2.5 -> -2), extremes clip.
VECTORS = (
    Requantization(0, 32768, 16, 0, 0, 255, 0),
    Requantization(5, 32768, 16, 0, 0, 255, 3),  # 2.5
    Requantization(-5, 32768, 16, 128, 0, 255, 126),  # -2.5
    Requantization(-3, 32768, 16, 128, 0, 255, 127),  # -1.5
    Requantization(-1, 32768, 16, 10, 0, 255, 10),  # -0.5
    Requantization(1, 32768, 16, 10, 0, 255, 11),  # 0.5
    Requantization(3, 65535, 16, 7, 0, 255, 10),  # 2.99995
    Requantization(-3, 65535, 16, 7, 0, 255, 4),  # -2.99995
    Requantization(100, 32768, 15, 200, 0, 255, 255),  # 300 clips
    Requantization(-100, 32768, 15, 50, 0, 255, 0),  # -50 clips
    Requantization(-100, 32768, 15, 50, 50, 255, 50),  # ReLU is low = zero_point
    Requantization(100, 32768, 15, 50, 50, 120, 120),  # ReLU6 is high
    Requantization(2147483647, 65535, 47, 0, 0, 255, 1),  # 0.99998 rounds to 1
    Requantization(-2147483648, 65535, 47, 5, 0, 255, 4),
    Requantization(-2147483648, 65535, 1, 255, 0, 255, 0),
    Requantization(2147483647, 65535, 1, 0, 0, 255, 255),
    Requantization(2147483647, 32768, 1, 0, 3, 9, 9),
    Requantization(1, 32768, 1, 0, 0, 255, 255),  # 16384 clips
    Requantization(1, 32768, 47, 17, 0, 255, 17),  # far below a half
    Requantization(12345, 40000, 22, 3, 0, 255, 121),  # 117.73
)


def fixed_point(
    scale: float, *, max_shift: int = SHIFT_HIGH, bits: int = MULTIPLIER_BITS
) -> tuple[int, int]:
    """Return (M, s) with M / 2**s nearest to `scale` and M of exactly `bits` bits.

    Raises ValueError when `scale` is not within [2**(bits-1) / 2**max_shift, (2**bits - 1) / 2].
    """
    low = 1 << (bits - 1)
    if not 0 < scale < low:
        raise ValueError(f"scale must be above 0 and below 2**{bits - 1}, got {scale}")
    shift = 0
    while scale < low and shift <= max_shift:
        scale *= 2
        shift += 1
    multiplier = round(scale)
    if multiplier == 2 * low:
        multiplier, shift = low, shift - 1
    if not SHIFT_LOW <= shift <= max_shift or multiplier < low:
        allowed = f"2**{bits - 1} <= M < 2**{bits} and 1 <= s <= {max_shift}"
        raise ValueError(f"scale must fit {allowed}")
    return multiplier, shift


def shared_fixed_point(factors: Sequence[float]) -> tuple[tuple[int, ...], int]:
    """Return multipliers M and the shift s that the largest factor decides, M / 2**s near each.

    factors: of the operands of an add, 0 or above; raises ValueError as `fixed_point` does
    """
    _, shift = fixed_point(max(factors))
    return tuple(round(factor * 2**shift) for factor in factors), shift
