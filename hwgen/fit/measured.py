"""Filters of few digits by measured loss: a scale of their own, and rounding that compensates.

The loss of a filter is the mean square of the change of its sums over real inputs, which the second
moments of the inputs give. Each filter tries scales over one octave and takes the one of least
loss, so that filters that suffer most get a finer grid. Then weights are rounded one after the
other, and the weights that are left take in the error of each (optimal brain compression, as GPTQ
does it for uniform grids).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.fit.digits import HIGH, at_most, nearest

Reals = NDArray[np.float64]

STEPS = 24
"""Scales of an octave that a filter tries."""
DAMPING = 0.01
"""Added to the second moments, as a fraction of their mean: inputs that are never seen."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Inputs of a layer over many positions, minus their zero point.

    second: (places, places), mean products; None: only `squares` is known
    squares: (places,), mean squares
    """

    squares: Reals
    second: Reals | None = None

    def loss(self, change: Reals) -> Reals:
        """Return the mean square of the change of each filter's sum; change: (filters, places)."""
        if self.second is None:
            return (change**2) @ self.squares
        losses: Reals = np.einsum("fi,ij,fj->f", change, self.second, change, optimize=True)
        return losses


def measured(
    weights: NDArray[Any], moments: Moments, *, limit: int, scaled: bool = True
) -> tuple[NDArray[np.int64], Reals]:
    """Return weights (filters, places) of at most `limit` digits, and a gain for each filter.

    gain * returned stands for the given weights; 1 for all filters unless `scaled`. Zeros stay.
    A filter that fits already is unchanged.
    """
    real = weights.astype(np.float64)
    members = at_most(limit)
    fits = np.isin(weights, members).all(axis=1)
    steps = best_steps(real, moments, members) if scaled else np.ones(len(real))
    steps[fits] = 1
    chosen = compensated(real * steps[:, np.newaxis], weights != 0, moments, members)
    plain = np.where(weights != 0, nearest(real * steps[:, np.newaxis], members), 0)
    gains = gain_of(real, chosen, moments) if scaled else np.ones(len(real))
    plain_gains = gain_of(real, plain, moments) if scaled else np.ones(len(real))
    worse = moments.loss(gains[:, np.newaxis] * chosen - real) > moments.loss(
        plain_gains[:, np.newaxis] * plain - real
    )
    chosen[worse], gains[worse] = plain[worse], plain_gains[worse]
    chosen[fits], gains[fits] = weights[fits], 1
    return chosen, gains


def best_steps(real: Reals, moments: Moments, members: NDArray[np.int64]) -> Reals:
    """Return what each filter is multiplied by before rounding: of least loss in an octave."""
    top = HIGH / np.maximum(np.abs(real).max(axis=1), 1)
    diagonal = Moments(squares=moments.squares)
    tried = top * 2.0 ** (-np.arange(STEPS)[:, np.newaxis] / STEPS)
    losses = []
    for steps in tried:
        rounded = np.where(real != 0, nearest(real * steps[:, np.newaxis], members), 0)
        gains = gain_of(real, rounded, diagonal)
        losses.append(diagonal.loss(gains[:, np.newaxis] * rounded - real))
    best: Reals = tried[np.argmin(losses, axis=0), np.arange(len(real))]
    return best


def gain_of(real: Reals, rounded: NDArray[np.int64], moments: Moments) -> Reals:
    """Return the gain of each filter that brings its sums nearest to those of the real weights."""
    whole = rounded.astype(np.float64)
    seen = whole * moments.squares if moments.second is None else whole @ moments.second
    product, norm = (seen * real).sum(axis=1), (seen * whole).sum(axis=1)
    gains: Reals = np.divide(product, norm, out=np.ones_like(norm), where=norm > 0)
    return np.where(gains > 0, gains, 1.0)


def compensated(
    real: Reals, free: NDArray[np.bool_], moments: Moments, members: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return rounded weights; those to the right take in the error of each; others stay zero."""
    if moments.second is None:
        return np.where(free, nearest(real, members), 0)
    order = np.argsort(-np.diag(moments.second), kind="stable")
    second = moments.second[np.ix_(order, order)].copy()
    second[np.diag_indices_from(second)] += DAMPING * max(float(np.diag(second).mean()), 1e-9)
    upper = np.linalg.cholesky(np.linalg.inv(second)).T
    left, may = real[:, order].copy(), free[:, order]
    result = np.zeros(real.shape, np.int64)
    for place in range(left.shape[1]):
        now = left[:, place]
        rounded = np.where(may[:, place], nearest(now, members), 0)
        error = (now - rounded) / upper[place, place]
        left[:, place + 1 :] -= np.outer(error, upper[place, place + 1 :])
        result[:, order[place]] = rounded
    return result
