"""Structured pruning by measured loss: blocks of one place in 8 filters."""

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network.pruning import WEAKEST, unpruned_by
from hwgen.network.sparsity import ALPHA

Reals = NDArray[np.float64]


def pruned(
    weights: NDArray[Any], squares: Reals, share: float, *, rule: str = WEAKEST
) -> NDArray[Any]:
    """Return weights (filters, places) without the blocks that change the sums least.

    squares: mean squares of the inputs, (places,); share: fraction of blocks, rounded up
    rule: that of an installed package chooses the blocks instead, by the same scores
    A tail of fewer than 8 filters is ranked as if it were whole.
    """
    groups = np.split(weights, range(ALPHA, len(weights), ALPHA))
    scores = np.stack([(group.astype(np.float64) ** 2).mean(axis=0) * squares for group in groups])
    chosen = weakest if rule == WEAKEST else partial(unpruned_by, rule)
    mask = np.repeat(chosen(scores, share), ALPHA, axis=0)[: len(weights)]
    return np.where(mask, weights, 0).astype(weights.dtype)


def weakest(scores: Reals, share: float) -> NDArray[np.bool_]:
    """Return where a block stays: all but those of least score; of equal ones the first goes."""
    count = math.ceil(share * scores.size - 1e-9)
    unpruned = np.ones(scores.size, np.bool_)
    unpruned[np.argsort(scores, axis=None, kind="stable")[:count]] = False
    return unpruned.reshape(scores.shape)
