"""The table of cases against the formula as it is written, and the choice of M and s."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from hwgen.network.quantization import (
    ANY_SUMS,
    FACTORS,
    MOST_MULTIPLIER,
    MOST_SHIFT,
    MULTIPLIER_HIGH,
    MULTIPLIER_LOW,
    SHIFT_HIGH,
    SHIFT_LOW,
    VECTORS,
    Requantization,
    fixed_point,
)


@pytest.mark.parametrize("case", VECTORS)
def test_vectors_follow_the_formula(case: Requantization) -> None:
    exact = Fraction(case.accumulator * case.multiplier, 1 << case.shift)
    nearest = floor(exact + Fraction(1, 2)) + case.zero_point
    assert case.output == min(max(nearest, case.low), case.high)


def test_vectors_hold_ties_signs_and_extremes() -> None:
    ties = [
        case
        for case in VECTORS
        if Fraction(case.accumulator * case.multiplier, 1 << case.shift) % 1 == Fraction(1, 2)
    ]
    assert {case.accumulator > 0 for case in ties} == {True, False}
    assert {case.multiplier for case in VECTORS} >= {MULTIPLIER_LOW, MULTIPLIER_HIGH}
    assert {case.shift for case in VECTORS} >= {SHIFT_LOW, SHIFT_HIGH}
    accumulators = {case.accumulator for case in VECTORS}
    assert accumulators >= {-(1 << 31), (1 << 31) - 1, 0}


def test_fixed_point_by_hand() -> None:
    assert fixed_point(0.5) == (32768, 16)
    assert fixed_point(1.0) == (32768, 15)
    assert fixed_point(0.75) == (49152, 16)
    assert fixed_point(16384.0) == (32768, 1)
    assert fixed_point(2.0**-32) == (32768, 47)
    # 0.99999999 * 2**16 rounds to 2**16, which is 2**15 with one bit less of shift.
    assert fixed_point(0.99999999) == (32768, 15)


def test_fixed_point_is_the_nearest() -> None:
    rng = np.random.default_rng(0)
    for scale in 2.0 ** rng.uniform(-32, 15 - 1e-4, 2000):
        multiplier, shift = fixed_point(float(scale))
        assert MULTIPLIER_LOW <= multiplier <= MULTIPLIER_HIGH
        assert SHIFT_LOW <= shift <= SHIFT_HIGH
        error = abs(Fraction(multiplier, 1 << shift) - Fraction(float(scale)))
        assert error <= Fraction(1, 2 << shift)


def test_fixed_point_honours_a_smaller_shift() -> None:
    assert fixed_point(0.5, max_shift=16) == (32768, 16)
    with pytest.raises(ValueError, match="1 <= s <= 15"):
        fixed_point(0.5, max_shift=15)


@pytest.mark.parametrize(
    "scale", [0.0, -1.0, 32768.0, 1e9, 2.0**-33, float("nan"), float("inf"), 32767.9]
)
def test_scales_out_of_range_are_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale must"):
        fixed_point(scale)


def test_factors_of_each_rounding() -> None:
    """Significands of float32 have 24 bits, those of TFLite 31, of a mean 30."""
    assert ANY_SUMS == (32768, 65535, 1, 47)
    assert dict(FACTORS) == {
        "half_up": (32768, 2147483647, 1, 62),
        "float32": (8388608, 16777215, 1, 63),
        "tflite": (536870912, 2147483647, 31, 62),
    }
    assert (MOST_MULTIPLIER, MOST_SHIFT) == (2147483647, 63)
