"""The approximation on filters small enough to work by hand."""

import numpy as np
import pytest

from verif.reference.dbpim.csd import phi
from verif.reference.dbpim.fta import fta, threshold


def array(*values: int) -> np.ndarray:
    return np.array(values, np.int8)


def everything(weights: np.ndarray) -> np.ndarray:
    return np.ones(len(weights), bool)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (array(1, 2, 3), 1),  # 1, 1, 2 digits
        (array(1, 3), 2),  # a tie: the larger
        (array(0, 0, 3), 0),
        (array(67, 67, 1), 2),  # three digits, clipped
        (array(67, 1), 2),  # a tie of 3 and 1, clipped
    ],
)
def test_threshold_by_hand(weights: np.ndarray, expected: int) -> None:
    assert threshold(weights, everything(weights)) == expected


def test_masked_weights_have_no_vote_and_stay_zero() -> None:
    weights = array(0, 0, 0, 3, 8)
    mask = np.array([False, False, False, True, True])
    assert threshold(weights, mask) == 2
    # 8 lies between 7 and 9, both of two digits: the smaller magnitude
    assert fta(weights, mask).tolist() == [0, 0, 0, 3, 7]


def test_a_natural_zero_moves_to_the_side_it_came_from() -> None:
    weights, mask = array(0, 0, 1, 1, 1), np.ones(5, bool)
    assert fta(weights, mask, array(-1, 1, 1, 1, 1)).tolist() == [-1, 1, 1, 1, 1]
    assert fta(weights, mask).tolist() == [1, 1, 1, 1, 1]


def test_ties_take_the_smaller_magnitude() -> None:
    # One digit: 3 lies between 2 and 4, -6 between -4 and -8, 96 between 64 and 128 (out of int8)
    weights = array(3, -6, 96, -96, 127, 1, 1, 1, 1, 1, 1, 1)
    moved = fta(weights, everything(weights))
    assert moved[:5].tolist() == [2, -4, 64, -64, 64]


def test_a_filter_of_zeros_and_a_masked_filter_stay_zero() -> None:
    weights = array(0, 0, 0, 5)
    assert not fta(weights, everything(weights)).any()
    assert threshold(weights, np.zeros(4, bool)) == 0
    assert not fta(weights, np.zeros(4, bool)).any()


@pytest.mark.parametrize("seed", range(20))
def test_every_unmasked_weight_has_the_threshold_and_is_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-128, 128, 40).astype(np.int8) >> rng.integers(0, 6)
    mask = rng.random(40) < 0.6
    moved = fta(weights, mask)
    count = threshold(weights, mask)
    assert (phi(moved[mask]) == count).all()
    assert not moved[~mask].any()
    already = mask & (phi(weights) == count)
    assert (moved[already] == weights[already]).all()
    distance = np.abs(moved[mask].astype(int) - weights[mask])
    for value in range(-128, 128):
        if phi(value) == count:
            assert (distance <= np.abs(value - weights[mask].astype(int))).all()
