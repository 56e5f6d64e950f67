"""Fewer digits than the rule of the seed gives, for the groups of 8 filters that bear it.

The unit is a mask group, because a row of weights holds its 8 filters: a group of phi_th 0 needs no
rows, and two groups of phi_th 1 have as many cells as one of 2. A step takes a group to one digit
or to none. Its loss is the mean square of the change of its sums over that of all sums of the
layer, and what it saves are digits times positions. Steps of least loss for what they save come
first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.fit.digits import HIGH, digits_of, exactly, nearest
from hwgen.fit.measured import STEPS, Moments, compensated, gain_of
from hwgen.network.sparsity import ALPHA

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Step:
    """Group number `group` of a layer gets `digits` digits in every unpruned weight: 1 or 0.

    loss: relative to the sums of the layer; saved: digits times output positions
    """

    layer: str
    group: int
    digits: int
    loss: float
    saved: float

    @property
    def price(self) -> float:
        """Loss for each digit saved."""
        return self.loss / self.saved


def fewer_digits(
    weights: NDArray[Any], free: NDArray[np.bool_], moments: Moments, *, digits: int
) -> tuple[Ints, Reals]:
    """Return weights (filters, places) of exactly `digits` digits where `free`, and their gains.

    gain * returned stands for the given weights. With 0 digits all weights are zero.
    """
    real = weights.astype(np.float64)
    if digits == 0 or not free.any():
        return np.zeros(weights.shape, np.int64), np.ones(len(weights))
    members = exactly(digits)
    scaled = real * best_steps(real, free, moments, members)[:, np.newaxis]
    candidates = (
        compensated(scaled, free, moments, members),
        np.where(free, nearest(scaled, members), 0),
    )
    gains = [gain_of(real, each, moments) for each in candidates]
    losses = [
        moments.loss(gain[:, np.newaxis] * each - real)
        for each, gain in zip(candidates, gains, strict=True)
    ]
    first = losses[0] <= losses[1]
    return np.where(first[:, np.newaxis], *candidates), np.where(first, *gains)


def best_steps(real: Reals, free: NDArray[np.bool_], moments: Moments, members: Ints) -> Reals:
    """Return what each filter is multiplied by before rounding: of least loss in an octave."""
    diagonal = Moments(squares=moments.squares)
    top = HIGH / np.maximum(np.abs(real).max(axis=1), 1)
    tried = top * 2.0 ** (-np.arange(STEPS)[:, np.newaxis] / STEPS)
    losses = []
    for steps in tried:
        rounded = np.where(free, nearest(real * steps[:, np.newaxis], members), 0)
        gains = gain_of(real, rounded, diagonal)
        losses.append(diagonal.loss(gains[:, np.newaxis] * rounded - real))
    best: Reals = tried[np.argmin(losses, axis=0), np.arange(len(real))]
    return best


def steps_of_layer(
    layer: str,
    weights: NDArray[Any],
    free: NDArray[np.bool_],
    moments: Moments,
    *,
    positions: int,
    factors: Reals,
) -> list[Step]:
    """Return the steps of a layer's groups to fewer digits than they have.

    weights, free: (filters, places); positions: of the output map
    factors: (filters,), what the sums are multiplied by, which makes them comparable
    """
    real = weights.astype(np.float64)
    whole = float((moments.loss(real) * factors**2).sum())
    steps = []
    for group, first in enumerate(range(0, len(weights), ALPHA)):
        part = slice(first, first + ALPHA)
        has = np.where(free[part], digits_of(weights[part]), 0)
        for digits in range(int(has.max())):
            moved, gains = fewer_digits(weights[part], free[part], moments, digits=digits)
            change = moments.loss(gains[:, np.newaxis] * moved - real[part])
            loss = float((change * factors[part] ** 2).sum())
            inputs = int(free[part].any(axis=0).sum())
            saved = positions * inputs * (int(has.max()) - digits)
            if saved:
                steps.append(
                    Step(
                        layer=layer,
                        group=group,
                        digits=digits,
                        loss=loss / whole if whole else 0.0,
                        saved=saved,
                    )
                )
    return steps


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Return the steps by their price; a step that a cheaper one makes needless is left out."""
    lowest: dict[tuple[str, int], int] = {}
    kept = []
    for step in sorted(steps, key=lambda each: (each.price, each.layer, each.group, each.digits)):
        place = step.layer, step.group
        if step.digits < lowest.get(place, ALPHA):
            lowest[place] = step.digits
            kept.append(step)
    return kept


def digits_after(steps: Sequence[Step]) -> dict[str, dict[int, int]]:
    """Return layer -> group -> digits behind some steps; other groups stay as they are."""
    found: dict[str, dict[int, int]] = {}
    for step in steps:
        groups = found.setdefault(step.layer, {})
        groups[step.group] = min(step.digits, groups.get(step.group, step.digits))
    return found
