"""Integers of filters that a training left, found behind any step of their own."""

import numpy as np
import pytest

from hwgen.network.csd import phi
from hwgen.network.whole_weights import whole_weights


@pytest.mark.parametrize("digits", [1, 2, 4])
def test_integers_come_back_behind_any_step(digits: int) -> None:
    random = np.random.default_rng(digits)
    allowed = [v for v in range(-127, 128) if phi(v) <= digits and (digits > 1 or v)]
    top = 64 if digits == 1 else 127
    integers = random.choice([v for v in allowed if abs(v) <= top], (24, 90))
    integers[:, 0], integers[:, 1] = top, 1
    steps = np.exp(random.normal(0, 4, 24))[:, None] * random.choice([-1, 1], (24, 1))
    real = (integers * steps.astype(np.float32)).astype(np.float32)
    assert np.array_equal(whole_weights(real), integers * np.sign(steps))


def test_the_fewest_digits_count_and_then_the_finest_step() -> None:
    by_hand = np.array([[96.0, 48, 24], [3, 5, 6], [0, 0, 0], [33, 3, 0], [127, 127, -127]])
    # 4, 2, 1 have one digit each, and 64, 32, 16 too; 11 has three digits, 33 two.
    expected = [[64, 32, 16], [48, 80, 96], [0, 0, 0], [66, 6, 0], [64, 64, -64]]
    assert whole_weights(by_hand).tolist() == expected


def test_weights_of_four_bits_stay_so() -> None:
    integers = np.random.default_rng(1).integers(-7, 8, (16, 40))
    integers[:, :2] = 7, 1
    assert np.array_equal(whole_weights(integers * 0.013), integers)


def test_drawn_weights_stand_on_no_grid() -> None:
    assert whole_weights(np.random.default_rng(1).normal(size=(4, 9))) is None
    assert whole_weights(np.array([[1.0, np.nan]])) is None
