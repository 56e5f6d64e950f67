"""The rule of the seed (002, IV-C2): one digit count for all weights of a filter."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.fit.digits import digits_of, exactly, nearest
from hwgen.network.csd import DIGITS
from hwgen.network.sparsity import ALPHA


def unpruned(weights: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which weights (filters, places) are outside the blocks of zeros in 8 filters."""
    blocks = [
        np.broadcast_to(part.any(axis=0), part.shape)
        for part in np.split(weights, range(ALPHA, len(weights), ALPHA))
    ]
    return np.concatenate(blocks)


def thresholds(weights: NDArray[Any], mask: NDArray[np.bool_], *, limit: int) -> NDArray[np.int64]:
    """Return phi_th of each filter: the most frequent digit count, at most `limit`.

    Of equals the larger; a filter without unpruned weights has 0.
    """
    digits = digits_of(weights)
    counts = np.stack(
        [((digits == count) & mask).sum(axis=1) for count in range(DIGITS // 2 + 1)], axis=1
    )
    # argmax of the reversed counts finds the larger of equals.
    most = DIGITS // 2 - counts[:, ::-1].argmax(axis=1)
    return np.where(mask.any(axis=1), most.clip(max=limit), 0)


def text_rule(weights: NDArray[Any], *, limit: int) -> NDArray[np.int64]:
    """Return weights (filters, places) by the rule; a zero that is not pruned counts as plus.

    Each unpruned weight goes to the nearest integer of exactly phi_th digits of its filter.
    """
    mask = unpruned(weights)
    chosen = thresholds(weights, mask, limit=limit)
    moved = np.zeros(weights.shape, np.int64)
    for count in range(limit + 1):
        rows = chosen == count
        found = nearest(weights[rows], exactly(count)) if count else 0 * weights[rows]
        # Zero lies between two members of one magnitude: the positive one.
        moved[rows] = np.where(weights[rows] == 0, np.abs(found), found)
    return np.where(mask, moved, 0)
