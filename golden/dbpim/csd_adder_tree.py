"""Reference of `hwgen.rtl.dbpim.csd_adder_tree`: the sum of dyadic products of one cell column."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def csd_adder_tree(
    hi: ArrayLike, lo: ArrayLike, *, negative: ArrayLike, index: ArrayLike
) -> NDArray[np.int64]:
    """Return the sum over terms of sign * (2 * hi + lo) * 4**index (seed 002, V-C).

    hi, lo: 0 or 1; negative: 1 for a digit of -1; index: block 0 to 3; all (..., terms)
    """
    pair = 2 * np.asarray(hi, np.int64) + np.asarray(lo, np.int64)
    magnitude = pair << (2 * np.asarray(index, np.int64))
    total: NDArray[np.int64] = np.where(negative, -magnitude, magnitude).sum(axis=-1)
    return total
