"""Softmax over groups of channels, in integers of 32 bits, as LiteRT's reference kernels.

Tests: `tests/importers/tflite/test_tokens.py`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops.requantize import lengths_of
from hwgen.network.fixed_softmax import SUM_BITS
from hwgen.network.maps import BYTE_BITS

Integers = NDArray[np.int64]

BITS = 31
HIGH = (1 << BITS) - 1
FIRST, SLOPE = 1515870810, -1010580540
"""48 / 17 and -32 / 17 in steps of 2**-29: a first guess of 1 / x for x from 1 / 2 to 1."""
STEPS = 3


def fixed_softmax(
    maps: NDArray[Any], *, groups: int, exponentials: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return 256 * exponential / sum of the exponentials of a group, rounded.

    maps: (images, height, width, channels) of bytes; exponentials: (256), of each distance from
        the largest byte of a group, in steps of 2**-31
    """
    parts = maps.reshape(-1, groups, maps.shape[3] // groups).astype(np.int64)
    values = exponentials.astype(np.int64)[parts.max(axis=2, keepdims=True) - parts]
    sums = divided(values, np.asarray(SUM_BITS)).sum(axis=2, keepdims=True)
    left = 1 + BITS - lengths_of(sums)
    shares = high(inverse((sums << left) - (1 << BITS)), values)
    found = divided(shares, SUM_BITS - left + BITS - BYTE_BITS)
    return found.reshape(maps.shape)


def high(a: Integers, b: Integers | int) -> Integers:
    """Return a * b / 2**31, ties up."""
    product: Integers = (a * b + (1 << (BITS - 1))) >> BITS
    return product


def divided(values: Integers, places: Integers) -> Integers:
    """Return values / 2**places, halves away from zero; values from 0."""
    quotients: Integers = (values + (np.left_shift(np.int64(1), places) >> 1)) >> places
    return quotients


def inverse(x: Integers) -> Integers:
    """Return 1 / (1 + x) for x from 0 to 1, both in steps of 2**-31."""
    half = (x + HIGH + 1) >> 1
    y = FIRST + high(half, SLOPE)
    for _ in range(STEPS):
        y = y + (high(y, (1 << (BITS - 2)) - high(half, y)) << 2)
    quotients: Integers = np.minimum(y << 1, HIGH)
    return quotients
