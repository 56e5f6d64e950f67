"""Reference of `hwgen.rtl.dbpim.dbmu`: one input bit against a cell and its complement."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Bits = NDArray[np.uint8]


def dbmu(x: ArrayLike, q: ArrayLike) -> tuple[Bits, Bits]:
    """Return hi = x & Q and lo = x & ~Q, each 0 or 1 (seed 002, V-C, Eqs. 5 and 6)."""
    bit, cell = np.asarray(x, np.uint8), np.asarray(q, np.uint8)
    return bit & cell, bit & (1 - cell)
