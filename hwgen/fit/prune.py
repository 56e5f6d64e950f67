"""Structured pruning by measured loss: blocks of one place in 8 filters."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network.sparsity import ALPHA

Reals = NDArray[np.float64]


def pruned(weights: NDArray[Any], squares: Reals, share: float) -> NDArray[Any]:
    """Return weights (filters, places) without the blocks that change the sums least.

    squares: mean squares of the inputs, (places,); share: fraction of blocks, rounded up
    A tail of fewer than 8 filters is ranked as if it were whole.
    """
    groups = np.split(weights, range(ALPHA, len(weights), ALPHA))
    scores = np.stack([(group.astype(np.float64) ** 2).mean(axis=0) * squares for group in groups])
    count = math.ceil(share * scores.size - 1e-9)
    unpruned = np.ones(scores.size, np.bool_)
    unpruned[np.argsort(scores, axis=None, kind="stable")[:count]] = False
    mask = np.repeat(unpruned.reshape(scores.shape), ALPHA, axis=0)[: len(weights)]
    return np.where(mask, weights, 0).astype(weights.dtype)
