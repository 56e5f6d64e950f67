"""Reference of `hwgen.dbpim.rtl.adder_tree`: the sum of the terms of one filter."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def adder_tree(terms: ArrayLike, constant: ArrayLike) -> NDArray[np.int64]:
    """Return the sum over terms, and the constant; terms: 0 to 255, (..., compartments)."""
    total: NDArray[np.int64] = np.asarray(terms, np.int64).sum(axis=-1) + constant
    return total
