"""Fewer digits for groups of filters: which come first, and what their weights become."""

import numpy as np
import pytest

from hwgen.fit.digits import digits_of, exactly
from hwgen.fit.lowered import Step, digits_after, fewer_digits, in_order, steps_of_layer
from hwgen.fit.measured import Moments


def moments(places: int, seed: int = 0) -> Moments:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(400, 5)) @ rng.normal(size=(5, places)) * 20
    rows += rng.normal(size=(400, places))
    return Moments(squares=(rows**2).mean(axis=0), second=rows.T @ rows / len(rows))


def two_digits(filters: int, places: int, seed: int = 0) -> np.ndarray:
    """Weights of two digits, every third place pruned in all filters."""
    found = np.random.default_rng(seed).choice(exactly(2), (filters, places))
    found[:, ::3] = 0
    return found


@pytest.mark.promise(
    "groups of filters that bear it get one digit or none, the cheapest by measured loss first,"
    " within a budget of accuracy"
)
def test_all_unpruned_weights_get_exactly_one_digit() -> None:
    weights = two_digits(8, 30)
    free = weights != 0
    found, gains = fewer_digits(weights, free, moments(30), digits=1)
    assert (digits_of(found) == free).all()
    assert (gains > 0).all() and not (gains == 1).all()


def test_the_loss_is_below_that_of_rounding_alone() -> None:
    weights, seen = two_digits(8, 30), moments(30)
    free = weights != 0
    found, gains = fewer_digits(weights, free, seen, digits=1)
    diagonal, diagonal_gains = fewer_digits(weights, free, Moments(squares=seen.squares), digits=1)
    losses = [
        seen.loss(gain[:, np.newaxis] * each - weights).sum()
        for each, gain in ((found, gains), (diagonal, diagonal_gains))
    ]
    whole = seen.loss(weights.astype(np.float64)).sum()
    assert losses[0] < 0.5 * losses[1]
    assert losses[1] < 0.2 * whole


def test_no_digits_are_zeros() -> None:
    weights = two_digits(8, 30)
    found, gains = fewer_digits(weights, weights != 0, moments(30), digits=0)
    assert not found.any() and (gains == 1).all()


def test_steps_of_a_layer_by_hand() -> None:
    """Two groups of 8, of phi 2 and 1, with 20 and 10 unpruned inputs of 30, on 9 positions."""
    weights = np.concatenate([two_digits(8, 30), np.full((8, 30), 4)])
    weights[8:, 10:] = 0
    seen = moments(30)
    steps = steps_of_layer(
        "conv", weights, weights != 0, seen, positions=9, factors=np.full(16, 0.5)
    )
    assert [(step.group, step.digits, step.saved) for step in steps] == [
        (0, 0, 9 * 20 * 2),
        (0, 1, 9 * 20),
        (1, 0, 9 * 10),
    ]
    real = weights.astype(np.float64)
    gone = seen.loss(real)
    np.testing.assert_allclose(steps[0].loss, gone[:8].sum() / gone.sum())
    np.testing.assert_allclose(steps[2].loss, gone[8:].sum() / gone.sum())
    assert steps[1].loss < steps[0].loss


def step(group: int, digits: int, loss: float, saved: float = 1) -> Step:
    return Step(layer="a", group=group, digits=digits, loss=loss, saved=saved)


def test_cheap_steps_come_first_and_needless_ones_are_left_out() -> None:
    """Group 1 goes to no digit before it would go to one; group 0 does both, in this order."""
    steps = [step(0, 1, 2), step(0, 0, 12, 2), step(1, 1, 3), step(1, 0, 2, 2)]
    found = in_order(steps)
    assert [(each.group, each.digits) for each in found] == [(1, 0), (0, 1), (0, 0)]
    assert digits_after(found[:2]) == {"a": {1: 0, 0: 1}}
    assert digits_after(found) == {"a": {1: 0, 0: 0}}
