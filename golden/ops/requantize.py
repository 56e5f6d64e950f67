"""From a sum to an element of a map (`hwgen/network/quantization.py` has worked cases)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def requantize(
    sums: ArrayLike,
    *,
    multiplier: ArrayLike,
    shift: ArrayLike,
    zero_point: int,
    low: int,
    high: int,
    dtype: type[np.integer[Any]] = np.uint8,
) -> NDArray[Any]:
    """Return clip(((sums * multiplier + 2**(shift - 1)) >> shift) + zero_point, low, high).

    sums: below 2**47; multiplier: unsigned 16 bits; shift: 1 to 47; the three broadcast
    zero_point, low, high: of the output map; the result is of `dtype`
    """
    shifts = np.asarray(shift, np.int64)
    half = np.left_shift(1, shifts - 1)
    product = np.multiply(sums, multiplier, dtype=np.int64)
    output: NDArray[np.int64] = ((product + half) >> shifts) + zero_point
    return output.clip(low, high).astype(dtype)
