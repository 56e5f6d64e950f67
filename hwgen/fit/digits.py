"""Integers of few signed digits, and the nearest of them."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network.csd import phi

LOW, HIGH = -128, 127


@cache
def digit_counts() -> NDArray[np.int64]:
    """Return the non-zero CSD digits of value - 128, (256,)."""
    return np.array([phi(value) for value in range(LOW, HIGH + 1)])


def digits_of(integers: NDArray[Any]) -> NDArray[np.int64]:
    """Return the non-zero CSD digits of each integer from -128 to 127."""
    found: NDArray[np.int64] = digit_counts()[np.asarray(integers, np.int64) - LOW]
    return found


@cache
def exactly(digits: int) -> NDArray[np.int64]:
    """Return the integers of exactly so many digits, sorted: T(phi) of the seed."""
    return np.flatnonzero(digit_counts() == digits) + LOW


@cache
def at_most(digits: int) -> NDArray[np.int64]:
    """Return the integers of at most so many digits, sorted; cells mix them in one filter."""
    return np.flatnonzero(digit_counts() <= digits) + LOW


def nearest(values: NDArray[Any], members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the nearest member to each value; of two equally near ones the smaller magnitude."""
    above = np.searchsorted(members, values).clip(1, len(members) - 1)
    low, high = members[above - 1], members[above]
    to_low, to_high = np.abs(values - low), np.abs(high - values)
    smaller = np.abs(low) <= np.abs(high)
    take_low = (to_low < to_high) | ((to_low == to_high) & smaller)
    chosen: NDArray[np.int64] = np.where(take_low, low, high)
    return chosen
