"""Canonical signed digits by arithmetic on whole arrays (seed 002, IV-A and IV-B)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

DIGITS = 8
BLOCKS = 4
INT8 = np.arange(-128, 128)


def csd(values: ArrayLike) -> NDArray[np.int64]:
    """Return the digits (-1, 0, 1) of int8 values, shape (..., 8), the lowest first.

    3x - x = 2x, subtracted bit by bit without a borrow, gives the digits one place too high.
    """
    x = np.asarray(values, np.int64)[..., np.newaxis]
    place = np.arange(1, DIGITS + 1)
    digits: NDArray[np.int64] = ((3 * x >> place) & 1) - ((x >> place) & 1)
    return digits


def phi(values: ArrayLike) -> NDArray[np.int64]:
    """Return the number of non-zero digits of each value."""
    count: NDArray[np.int64] = np.count_nonzero(csd(values), axis=-1)
    return count


def dyadic_blocks(values: ArrayLike) -> NDArray[np.int64]:
    """Return the four blocks of each value, shape (..., 4), each from -2 to 2.

    value = sum over i of blocks[i] * 4**i; a block of 0 is the zero pattern, the others are 01,
    0-1, 10 and -10.
    """
    digits = csd(values)
    blocks: NDArray[np.int64] = digits[..., 0::2] + 2 * digits[..., 1::2]
    return blocks


def values_of_phi(count: int) -> NDArray[np.int64]:
    """Return T(count): the int8 values with exactly `count` non-zero digits, ascending."""
    members: NDArray[np.int64] = INT8[phi(INT8) == count]
    return members
