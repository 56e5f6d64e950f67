"""The formula against the vectors that were worked by hand, and against exact fractions."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from golden.ops.requantize import requantize
from hwgen.network.quantization import VECTORS, Requantization


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
