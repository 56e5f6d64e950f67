"""From a sum to an element of a map (`hwgen/network/quantization.py` has worked cases)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwgen.network.quantization import HALF_UP, SIGNED_BITS, SIGNIFICANT_BITS, Rounding

Integers = NDArray[np.int64]

EXACT, DROPPED = 53, 10
"""Bits of whole numbers that float64 holds; bits of longer ones that their length does not need."""


def requantize(
    sums: ArrayLike,
    *,
    multiplier: ArrayLike,
    shift: ArrayLike,
    zero_point: int,
    low: int,
    high: int,
    dtype: type[np.integer[Any]] = np.uint8,
    rounding: Rounding = HALF_UP,
) -> NDArray[Any]:
    """Return clip(round(sums, multiplier, shift) + zero_point, low, high).

    sums, multiplier, shift: they broadcast; ranges in `hwgen.network.quantization.FACTORS`
    zero_point, low, high: of the output map; the result is of `dtype`
    """
    scaled = ROUNDINGS[rounding](
        np.asarray(sums, np.int64), np.asarray(multiplier, np.int64), np.asarray(shift, np.int64)
    )
    return (scaled + zero_point).clip(low, high).astype(dtype)


def half_up(sums: Integers, multiplier: Integers, shift: Integers) -> Integers:
    """Return sums * multiplier / 2**shift with one rounding, ties up."""
    half: Integers = np.left_shift(np.int64(1), shift - 1)
    scaled: Integers = (sums * multiplier + half) >> shift
    return scaled


def float32(sums: Integers, multiplier: Integers, shift: Integers) -> Integers:
    """Return what a product of float32 numbers rounds to, ties to even; |sums| below 2**38.

    The multiplier is the significand of the factor. Each step rounds the magnitude.
    """
    product = significant(np.abs(sums)) * multiplier
    scaled: Integers = np.sign(sums) * to_even(significant(product), shift)
    return scaled


def significant(values: Integers) -> Integers:
    """Return the nearest numbers of 24 significant bits, of ties the even one; values from 0."""
    if values.max(initial=0) < 1 << SIGNIFICANT_BITS:
        # As the sums of most layers: nothing is lost.
        return values
    excess = np.maximum(lengths_of(values) - SIGNIFICANT_BITS, 0)
    return to_even(values, excess) << excess


def lengths_of(values: Integers) -> Integers:
    """Return the bits of whole numbers from 0, below 2**63; the exponent of a float64 has them."""
    short = np.where(values >> EXACT > 0, values >> DROPPED << DROPPED, values)
    exponents: Integers = (short.astype(np.float64).view(np.int64) >> 52) - 1022
    return np.maximum(exponents, 0)


def to_even(values: Integers, shift: Integers) -> Integers:
    """Return values / 2**shift, rounded to nearest, ties to even; values and shift from 0."""
    whole = values >> shift
    rest, unit = values - (whole << shift), np.left_shift(np.int64(1), shift)
    beyond = unit - rest
    rounded: Integers = whole + ((rest > beyond) | ((rest == beyond) & (whole % 2 == 1)))
    return rounded


def tflite(sums: Integers, multiplier: Integers, shift: Integers) -> Integers:
    """Return sums * multiplier / 2**31 with ties up, over 2**(shift - 31) with ties away from 0."""
    first = half_up(sums, multiplier, np.asarray(SIGNED_BITS, np.int64))
    second = shift - SIGNED_BITS
    half = np.left_shift(np.int64(1), second) >> 1
    scaled: Integers = np.sign(first) * ((np.abs(first) + half) >> second)
    return scaled


ROUNDINGS: dict[Rounding, Callable[[Integers, Integers, Integers], Integers]] = {
    "half_up": half_up,
    "float32": float32,
    "tflite": tflite,
}
