"""The formula against the vectors that were worked by hand, and against exact fractions."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from golden.ops.requantize import requantize
from hwgen.network.quantization import FACTORS, VECTORS, Requantization, Rounding
from tests.golden.slow import rounded


@pytest.mark.promise("every operation gives what was worked by hand")
@pytest.mark.parametrize("case", VECTORS)
def test_vectors_by_hand(case: Requantization) -> None:
    *_, output = case
    given = case._asdict()
    del given["output"]
    assert requantize(given.pop("accumulator"), **given) == output


def test_exact_fractions_rounded_with_ties_up() -> None:
    rng = np.random.default_rng(1)
    accumulators = rng.integers(-(1 << 31), 1 << 31, 500)
    multipliers = rng.integers(1 << 15, 1 << 16, 500)
    shifts = rng.integers(30, 48, 500)
    outputs = requantize(
        accumulators, multiplier=multipliers, shift=shifts, zero_point=100, low=3, high=250
    )
    cases = zip(accumulators.tolist(), multipliers.tolist(), shifts.tolist(), outputs, strict=True)
    for accumulator, multiplier, shift, output in cases:
        nearest = floor(Fraction(accumulator * multiplier, 1 << shift) + Fraction(1, 2))
        assert output == min(max(nearest + 100, 3), 250)


def test_one_multiplier_and_shift_for_each_channel() -> None:
    # 10 / 4 = 2.5 -> 3 in channel 0, 10 / 2 = 5 in channel 1.
    outputs = requantize(
        np.full((2, 3, 2), 10),
        multiplier=np.array([1 << 15, 1 << 15], np.uint16),
        shift=np.array([17, 16], np.uint8),
        zero_point=0,
        low=0,
        high=255,
    )
    assert outputs.dtype == np.uint8
    assert (outputs == [3, 5]).all()


SUMS = np.unique(
    [
        sign * min(max(base + offset, 0), 1 << 24)
        for base in (0, 1 << 8, 1 << 16, (1 << 23) - 1, 1 << 23, 1 << 24)
        for offset in range(-3, 4)
        for sign in (1, -1)
    ]
)


def unclipped(
    rounding: Rounding, sums: np.ndarray, multiplier: int | np.ndarray, shift: int | np.ndarray
) -> list[int]:
    """Return what sums round to, clipped to 16 bits."""
    given = {"zero_point": 1 << 15, "low": 0, "high": (1 << 16) - 1, "dtype": np.uint16}
    found = requantize(sums, multiplier=multiplier, shift=shift, rounding=rounding, **given)
    return (found.astype(np.int64) - (1 << 15)).tolist()


@pytest.mark.promise(
    "each rounding is its formula, as the processor rounds float32, first roundings included"
)
@pytest.mark.parametrize("shift", [1, 9, 22, 23, 24, 25, 31, 40, 47, 63])
def test_float32_is_that_of_the_processor(shift: int) -> None:
    rng = np.random.default_rng(shift)
    multipliers = [1 << 23, (1 << 23) + 1, (1 << 24) - 1, *rng.integers(1 << 23, 1 << 24, 20)]
    for multiplier in map(int, multipliers):
        sums = np.concatenate([SUMS, rng.integers(-(1 << 24), 1 << 24, 200), TIES])
        product = sums.astype(np.float32) * np.float32(multiplier * 2.0**-shift)
        wanted = np.rint(product).clip(-(1 << 15), (1 << 15) - 1).astype(np.int64)
        assert unclipped("float32", sums, multiplier, shift) == wanted.tolist()


TIES = np.arange(-5, 6) * 2 + 1
"""Odd sums: halves where M / 2**s is a power of two."""


def test_float32_rounds_large_sums_as_float32_does() -> None:
    sums = np.array([(1 << 24) + 1, (1 << 25) + 2, (1 << 25) + 6, -(1 << 30) - 33])
    wanted = np.rint(sums.astype(np.float32) * np.float32(2.0**-16)).astype(int)
    assert unclipped("float32", sums, 1 << 23, 39) == wanted.tolist()


@pytest.mark.parametrize(("reach", "shift"), [(1 << 24, 34), (1 << 30, 40)])
def test_float32_rounds_before_it_scales(reach: int, shift: int) -> None:
    rng = np.random.default_rng(shift)
    sums = rng.integers(-reach, reach, 200_000)
    multipliers = rng.integers(1 << 23, 1 << 24, len(sums))
    factors = multipliers.astype(np.float32) * np.float32(2.0**-shift)
    wanted = np.rint(sums.astype(np.float32) * factors).astype(np.int64)
    assert unclipped("float32", sums, multipliers, shift) == wanted.tolist()
    # A product that is rounded once, and one of a sum that is not rounded, fall elsewhere.
    once = np.rint(sums * multipliers / 2.0**shift).astype(np.int64)
    assert (once != wanted).sum() > 10
    exact = np.rint((sums * factors.astype(np.float64)).astype(np.float32)).astype(np.int64)
    assert (exact != wanted).any() == (reach > 1 << 24)


@pytest.mark.long
@pytest.mark.parametrize("rounding", FACTORS)
def test_a_million_pairs_are_those_of_the_formula(rounding: Rounding) -> None:
    rng, factors, count = np.random.default_rng(7), FACTORS[rounding], 1_000_000
    multipliers = rng.integers(factors.multiplier_low, factors.multiplier_high + 1, count)
    shifts = rng.integers(factors.shift_low, factors.shift_high + 1, count)
    # Sums whose results are of the size of a byte, or of 16 bits.
    reach = np.ldexp(rng.choice([300.0, 30000.0], count) / multipliers, shifts)
    reach = reach.clip(4, (1 << 31) - 1).astype(np.int64)
    sums = rng.integers(-reach, reach + 1)
    found = unclipped(rounding, sums, multipliers, shifts)
    given = zip(sums.tolist(), multipliers.tolist(), shifts.tolist(), found, strict=True)
    for total, multiplier, shift, value in given:
        wanted = rounded(rounding, total, multiplier, shift)
        assert value == min(max(wanted, -(1 << 15)), (1 << 15) - 1), (total, multiplier, shift)


def test_tflite_rounds_twice() -> None:
    # M / 2**s = 1/2, 1/4: the first rounding goes up, the second away from zero.
    assert unclipped("tflite", np.array([1, -1, 3, -3]), 1 << 30, 31) == [1, 0, 2, -1]
    assert unclipped("tflite", np.array([1, 2, -2, -3, 6, -6]), 1 << 30, 32) == [
        1,
        1,
        -1,
        -1,
        2,
        -2,
    ]
    # -4 / 2**3 in one rounding is -0.5, which goes up to 0; in two it is -1.
    assert unclipped("tflite", np.array([-4]), 1 << 30, 33) == [-1]
    assert unclipped("half_up", np.array([-4]), 1 << 30, 33) == [0]
    # 8 / 16 and 32 / 64 are halves: away from zero.
    assert unclipped("tflite", np.array([8, -8, 7, 6]), 1 << 30, 34) == [1, -1, 1, 0]
    assert unclipped("tflite", np.array([32, -32, 30]), 1 << 30, 36) == [1, -1, 0]
