"""Weights of few digits: by the rule of the seed as training has it, and by measured loss."""

import numpy as np
import pytest
import torch

from hwgen.fit import Fitted, measured, refitted, text_rule
from hwgen.fit.digits import at_most, digits_of, exactly, nearest
from hwgen.fit.measured import Moments
from hwgen.fit.prune import pruned
from hwgen.fit.text import thresholds, unpruned
from hwgen.network import Parameters
from hwgen.network.csd import phi
from hwgen.network.quantization import fixed_point
from hwgen.train import fta


def inputs(places: int, *, seed: int = 0) -> np.ndarray:
    """Correlated inputs of a layer: (positions, places)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(400, 5)) @ rng.normal(size=(5, places)) * 20 + rng.normal(
        size=(400, places)
    )


def moments_of(rows: np.ndarray) -> Moments:
    return Moments(squares=(rows**2).mean(axis=0), second=rows.T @ rows / len(rows))


def weights_of(filters: int, places: int, seed: int = 0) -> np.ndarray:
    return (
        np.random.default_rng(seed)
        .normal(size=(filters, places))
        .clip(-3, 3)
        .__mul__(40)
        .round()
        .astype(np.int64)
    )


@pytest.mark.promise(
    "weights get few signed digits without training, by the rule of the seed or with less loss"
    " by measurement"
)
def test_members_and_the_nearest_of_them() -> None:
    assert all(phi(int(value)) == 2 for value in exactly(2))
    powers = [1 << n for n in range(7)]
    assert at_most(1).tolist() == [-128, *(-each for each in reversed(powers)), 0, *powers]
    assert nearest(np.array([3, -3, 0, 90, 6]), at_most(1)).tolist() == [2, -2, 0, 64, 4]
    assert nearest(np.array([126.4, -11, 300]), at_most(2)).tolist() == [126, -10, 127]


@pytest.mark.parametrize("seed", range(4))
def test_the_rule_of_the_seed_is_that_of_training(seed: int) -> None:
    weights = np.random.default_rng(seed).integers(-128, 128, (20, 30))
    weights[:8, :7] = 0
    weights[16:, 3] = 0
    mask = torch.from_numpy(unpruned(weights))
    sign = torch.ones(weights.shape)
    wanted = fta.fta(torch.from_numpy(weights), mask, sign).numpy()
    assert np.array_equal(text_rule(weights, limit=2), wanted)


def test_of_equal_counts_the_larger_threshold_wins() -> None:
    weights = np.array([[1, 64, 3, 5], [2, 4, 8, 3]])
    assert thresholds(weights, weights != 0, limit=2).tolist() == [2, 1]


@pytest.mark.parametrize("limit", [1, 2])
def test_measured_weights_have_few_digits_and_less_loss(limit: int) -> None:
    weights, moments = weights_of(12, 40), moments_of(inputs(40))
    found, gains = measured(weights, moments, limit=limit)
    assert digits_of(found).max() <= limit
    text = text_rule(weights, limit=limit)
    plain = nearest(weights, at_most(limit))
    losses = [
        moments.loss(change.astype(np.float64)).sum()
        for change in (gains[:, np.newaxis] * found - weights, plain - weights, text - weights)
    ]
    assert losses[0] < 0.5 * losses[1] < 0.5 * losses[2]


def test_weights_make_up_for_each_other() -> None:
    weights, moments = weights_of(12, 40), moments_of(inputs(40))
    alone, alone_gains = measured(weights, Moments(squares=moments.squares), limit=2)
    found, gains = measured(weights, moments, limit=2)
    loss = moments.loss(gains[:, np.newaxis] * found - weights).sum()
    assert loss < 0.3 * moments.loss(alone_gains[:, np.newaxis] * alone - weights).sum()


def test_filters_that_fit_stay_and_zeros_stay() -> None:
    weights, moments = weights_of(6, 20), moments_of(inputs(20))
    weights[1] = np.random.default_rng(1).choice(at_most(2), 20)
    weights[:, 4] = 0
    found, gains = measured(weights, moments, limit=2)
    assert found[1].tolist() == weights[1].tolist() and gains[1] == 1
    assert not found[:, 4].any()


def test_sums_that_stay_raw_have_one_scale() -> None:
    _, gains = measured(weights_of(6, 20), moments_of(inputs(20)), limit=2, scaled=False)
    assert (gains == 1).all()


def test_without_products_squares_decide() -> None:
    weights, rows = weights_of(6, 20), inputs(20)
    squares = Moments(squares=(rows**2).mean(axis=0))
    found, gains = measured(weights, squares, limit=2)
    plain = nearest(weights, at_most(2))
    assert squares.loss(gains[:, np.newaxis] * found - weights).sum() < (
        squares.loss((plain - weights).astype(np.float64)).sum()
    )


def test_pruning_takes_the_blocks_of_least_effect() -> None:
    weights = np.full((10, 4), 5)
    weights[8:, 1] = 1
    squares = np.array([1.0, 1.0, 0.01, 1.0])
    # Two of 8 blocks: place 2 of the first 8 filters, and of the tail.
    found = pruned(weights, squares, 0.25)
    assert not found[:, 2].any()
    assert np.array_equal(found[:, [0, 1, 3]], weights[:, [0, 1, 3]])
    # The third is the small one of the tail.
    assert not pruned(weights, squares, 3 / 8)[8:, 1].any()


def test_the_real_meaning_of_sums_stays() -> None:
    """A new sum * new factor is an old sum * old factor, where weights are scaled exactly."""
    weights = np.array([[4, -8, 12], [3, 5, 7]])
    multiplier, shift = zip(fixed_point(0.01), fixed_point(0.02), strict=True)
    given = Parameters(
        weights=weights.astype(np.int8),
        bias=np.array([[1000, -77]]),
        multiplier=np.array([multiplier], np.uint32),
        shift=np.array([shift], np.uint8),
        weight_scale=np.array([0.5, 0.25], np.float32),
    )
    fitted = Fitted(
        weights=np.array([[1, -2, 3], [3, 5, 7]]),
        gains=np.array([4.0, 1.0]),
        shift=np.array([0.0, 10.0]),
    )
    made = refitted(given, fitted, zero_point=9)
    rows = np.random.default_rng(0).integers(0, 256, (50, 3))
    old = rows @ weights.T + given.bias[0]
    new = rows @ made.weights.astype(np.int64).T + made.bias[0]
    factors = made.multiplier[0] / 2.0 ** made.shift[0]
    assert np.allclose(new[:, 0] * factors[0], old[:, 0] * 0.01, atol=0.04)
    assert (new[:, 1] == old[:, 1] + 10).all()
    assert made.weight_scale.tolist() == [2.0, 0.25]
