"""Requantization: the formula that training, golden and RTL each implement, and test vectors.

    y = clip(((acc * M + 2**(s - 1)) >> s) + zero_point, low, high)

acc: int32, M: unsigned 16 bits in [2**15, 2**16), s: 1 to 47, arithmetic shift (ties go up),
64-bit intermediate; y, zero_point, low, high: uint8. ReLU and ReLU6 are the clip.

Residual add: acc * M becomes (a - za) * Ma + (b - zb) * Mb with one common shift.
Average pool: acc = sum over n inputs of (x - zx), and 1 / n is part of M.
"""

from collections.abc import Sequence
from typing import NamedTuple

MULTIPLIER_BITS = 16
MULTIPLIER_LOW = 1 << (MULTIPLIER_BITS - 1)
MULTIPLIER_HIGH = (1 << MULTIPLIER_BITS) - 1
SHIFT_LOW = 1
SHIFT_HIGH = 47
ACCUMULATOR_LOW = -(1 << 31)
ACCUMULATOR_HIGH = (1 << 31) - 1


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


def fixed_point(scale: float, *, max_shift: int = SHIFT_HIGH) -> tuple[int, int]:
    """Return (M, s) with M / 2**s nearest to `scale` and M in [2**15, 2**16).

    Raises ValueError when `scale` is not within [2**15 / 2**max_shift, (2**16 - 1) / 2].
    """
    if not 0 < scale < MULTIPLIER_LOW:
        raise ValueError(f"scale must be above 0 and below 2**15, got {scale}")
    shift = 0
    while scale < MULTIPLIER_LOW and shift <= max_shift:
        scale *= 2
        shift += 1
    multiplier = round(scale)
    if multiplier > MULTIPLIER_HIGH:
        multiplier, shift = MULTIPLIER_LOW, shift - 1
    if not SHIFT_LOW <= shift <= max_shift or multiplier < MULTIPLIER_LOW:
        raise ValueError(f"scale must fit 2**15 <= M < 2**16 and 1 <= s <= {max_shift}")
    return multiplier, shift


def shared_fixed_point(factors: Sequence[float]) -> tuple[tuple[int, ...], int]:
    """Return multipliers M and the shift s that the largest factor decides, M / 2**s near each.

    factors: of the operands of an add, 0 or above; raises ValueError as `fixed_point` does
    """
    _, shift = fixed_point(max(factors))
    return tuple(round(factor * 2**shift) for factor in factors), shift
