"""Reference of `hwgen.rtl.dbpim.adder_tree`: counts the one bits of a dense cell column."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

BIT_WEIGHTS = np.array([1, 2, 4, 8, 16, 32, 64, -128])
"""Weights of the eight cell columns of a filter: two's complement, so the last is negative."""


def adder_tree(bits: ArrayLike) -> NDArray[np.int64]:
    """Return the number of ones over terms; bits: 0 or 1, (..., terms)."""
    count: NDArray[np.int64] = np.asarray(bits, np.int64).sum(axis=-1)
    return count


def weigh_counts(counts: ArrayLike) -> NDArray[np.int64]:
    """Return the sum of a filter's eight column counts by bit weight; counts: (..., 8)."""
    value: NDArray[np.int64] = np.asarray(counts, np.int64) @ BIT_WEIGHTS
    return value
