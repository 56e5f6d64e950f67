"""Reference of `hwgen.rtl.dbpim.requantizer`: from an accumulator to a byte."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def requantize(
    accumulators: ArrayLike,
    *,
    multiplier: ArrayLike,
    shift: ArrayLike,
    zero_point: int,
    low: int,
    high: int,
) -> NDArray[np.uint8]:
    """Return clip(((accumulators * multiplier + 2**(shift - 1)) >> shift) + zero_point).

    accumulators: int32; multiplier: unsigned 16 bits; shift: 1 to 47; the three broadcast
    zero_point, low, high: bytes; the result lies in [low, high]
    """
    shifts = np.asarray(shift, np.int64)
    half = np.left_shift(1, shifts - 1)
    product = np.multiply(accumulators, multiplier, dtype=np.int64)
    output: NDArray[np.int64] = ((product + half) >> shifts) + zero_point
    return output.clip(low, high).astype(np.uint8)
