"""Reference of `hwgen.dbpim.rtl.simd`: operations on the taps of each result, one result a byte.

Arrays of taps are uint8, (taps, ..., channels); results are uint8, (..., channels).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.ops.maps import map_product, product, squared_difference, weighted_sum
from golden.ops.requantize import requantize

__all__ = [
    "add",
    "maximum",
    "multiply",
    "product_total",
    "requantize",
    "rotated",
    "squares",
    "sum_bytes",
    "total",
]

Bytes = NDArray[np.uint8]


def maximum(taps: Bytes, *, low: int, high: int) -> Bytes:
    """Return the largest byte of the taps, clipped."""
    largest: Bytes = taps.max(axis=0).clip(low, high)
    return largest


def total(taps: Bytes, *, bias: ArrayLike, weights: ArrayLike = 1) -> NDArray[np.int64]:
    """Return bias + the sum of tap * weight, for SUM and DEPTHWISE; `requantize` follows.

    bias: of all channels, or of each; weights: those of the taps or, with `planes`, 256**column
    """
    weighted = taps.astype(np.int64) * np.asarray(weights, np.int64)
    summed: NDArray[np.int64] = weighted.sum(axis=0) + np.asarray(bias, np.int64)
    return summed


def sum_bytes(totals: NDArray[np.int64]) -> list[Bytes]:
    """Return the three bytes of totals below 2**24, the lowest one first."""
    return [(totals // 256**number % 256).astype(np.uint8) for number in range(3)]


def add(
    taps: Bytes, *, zero_points: tuple[int, int], multipliers: tuple[int, int], **scale: Any
) -> Bytes:
    """Return requantize((a - za) * Ma + (b - zb) * Mb) with one common shift and one rounding."""
    sums = weighted_sum(*taps, zero_points=zero_points, multipliers=multipliers)
    return requantize(sums, multiplier=1, **scale)


def multiply(taps: Bytes, *, zero_points: tuple[int, int], **scale: Any) -> Bytes:
    """Return requantize((a - za) * (b - zb))."""
    return requantize(product(*taps, zero_points=zero_points), **scale)


def squares(
    taps: Bytes,
    *,
    zero_points: tuple[int, int],
    multipliers: tuple[int, int],
    shifts: tuple[int, int],
    **scale: Any,
) -> Bytes:
    """Return requantize(d * d), d the difference of both scaled operands."""
    squared = squared_difference(
        *taps, zero_points=zero_points, multipliers=multipliers, shifts=shifts
    )
    return requantize(squared, **scale)


def product_total(
    held: Bytes, met: Bytes, *, transposed: bool, zero_points: tuple[int, int]
) -> NDArray[np.int64]:
    """Return the sums of a product of two maps, for SCORES (`transposed`) and VALUES.

    held: words of map a, (results, words, C)
    met: after each word C pixels of map b, (results, words, C pixels, C channels)
    returns: (results, C)
    """
    results, words, size = held.shape
    a = held.reshape(results, 1, 1, words * size)
    by_pixel = met.reshape(results, words * size, 1, size)
    by_channel = met.swapaxes(1, 2).reshape(results, size, 1, words * size)
    b = by_channel if transposed else by_pixel
    sums = map_product(a, b, groups=1, transposed=transposed, zero_points=zero_points)
    return sums.reshape(results, size)


def rotated(words: Bytes, amount: int) -> Bytes:
    """Return words whose byte c is byte (c + amount) mod C, `rotate` of a SIMD instruction."""
    return np.roll(words, amount, axis=-1)
