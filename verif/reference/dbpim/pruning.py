"""Block pruning: blocks of 8 weights, or of 16, are pruned together (seed 002, IV-C1)."""

import math

import numpy as np
from numpy.typing import NDArray

from hwgen.network.sparsity import ALPHA


def block_mask(weights: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return which blocks hold a non-zero weight: (groups, k) for weights (filters, k)."""
    firsts = range(0, len(weights), ALPHA)
    return np.array([weights[first : first + ALPHA].any(axis=0) for first in firsts])


def block_norms(weights: NDArray[np.floating], size: int = ALPHA) -> NDArray[np.float64]:
    """Return L2 norm / sqrt(filters) of each block: (groups, k) for weights (filters, k).

    The division lets a tail block of fewer than 8 filters rank among the full ones.
    """
    firsts = range(0, len(weights), size)
    blocks = [weights[first : first + size].astype(np.float64) for first in firsts]
    return np.array([np.sqrt(np.mean(block**2, axis=0)) for block in blocks])


def prune(weights: NDArray[np.floating], fraction: float, size: int = ALPHA) -> NDArray[np.bool_]:
    """Return the unpruned blocks when the lowest `fraction` of them (rounded up) is pruned.

    size: filters of a block

    Of equal norms the block that comes first, group by group, is pruned first.
    """
    norms = block_norms(weights, size)
    order = np.argsort(norms, axis=None, kind="stable")
    unpruned = np.ones(norms.size, bool)
    # The small number compensates for binary fractions such as 0.1 * 30.
    unpruned[order[: math.ceil(fraction * norms.size - 1e-9)]] = False
    return unpruned.reshape(norms.shape)
