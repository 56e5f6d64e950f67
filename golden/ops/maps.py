"""Operations of layers on maps, before requantization: what a network and benches share.

Maps are (images, height, width, channels), uint8 or uint16; sums are int64.

Tests: `tests/golden/ops/test_ops.py`.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops.requantize import Integers, tflite
from golden.ops.windows import NO_PADDING, Pair, Sides, windows
from hwgen.network.squared_difference import FINER

PRODUCTS_AT_ONCE = 1 << 22
"""Elements of an im2col matrix that are in memory at a time (32 MB as float64)."""


def max_pool(
    maps: NDArray[Any], *, kernel: Pair, stride: Pair, padding: Sides = NO_PADDING
) -> NDArray[Any]:
    """Return the largest integer of each window; the border is 0, so that it never wins."""
    seen = windows(maps, kernel=kernel, stride=stride, padding=padding)
    largest: NDArray[Any] = seen.max(axis=(3, 4))
    return largest


def window_sums(
    maps: NDArray[Any],
    *,
    kernel: Pair,
    stride: Pair,
    padding: Sides = NO_PADDING,
    zero_point: int,
) -> Integers:
    """Return the sum of (x - zero_point) of each window; padding adds nothing.

    1 / n of the mean is part of the multiplier of the requantization that follows.
    """
    centred = maps.astype(np.int64) - zero_point
    seen = windows(centred, kernel=kernel, stride=stride, padding=padding)
    total: Integers = seen.sum(axis=(3, 4))
    return total


def conv(
    maps: NDArray[Any],
    weights: NDArray[Any],
    bias: Integers,
    *,
    stride: Pair,
    padding: Sides,
    groups: int,
    zero_point: int,
) -> Integers:
    """Return bias + sum over (kh, kw, c) of input * weight; padding has the zero point.

    A matrix product for each group (seed 002, V-D, Eq. 7).

    weights: (out, kernel_height, kernel_width, in / groups); group g computes out / groups outputs
        from g * out / groups on, from in / groups inputs from g * in / groups on
    returns: (images, out_height, out_width, out)
    """
    kernel = weights.shape[1], weights.shape[2]
    taps = kernel[0] * kernel[1]
    inputs = weights.shape[3]
    filters = weights.reshape(groups, len(weights) // groups, taps * inputs).astype(np.float64)
    pixels = maps.shape[1] * maps.shape[2] * maps.shape[3]
    at_once = max(1, PRODUCTS_AT_ONCE // max(1, pixels * taps))
    sums = []
    for first in range(0, max(1, len(maps)), at_once):
        part = maps[first : first + at_once]
        seen = windows(part, kernel=kernel, stride=stride, padding=padding, fill=zero_point)
        count, height, width = seen.shape[:3]
        positions = count * height * width
        each_group = np.moveaxis(seen.reshape(positions, taps, groups, inputs), 2, 0)
        patches = each_group.reshape(groups, positions, taps * inputs)
        # Integers below 2**53 add exactly in float64, in any order.
        product = patches.astype(np.float64) @ filters.transpose(0, 2, 1)
        sums.append(np.moveaxis(product, 0, 1).reshape(count, height, width, len(weights)))
    return np.concatenate(sums).astype(np.int64) + bias


def linear(maps: NDArray[Any], weights: NDArray[Any], bias: Integers) -> Integers:
    """Return bias + sum over (row, column, channel) of input * weight: (images, 1, 1, out).

    weights: (out, height * width * channels), the channel fastest
    """
    flat = maps.reshape(len(maps), math.prod(maps.shape[1:])).astype(np.float64)
    # Integers below 2**53 add exactly in float64, in any order.
    sums = flat @ weights.astype(np.float64).T
    return sums.astype(np.int64).reshape(len(maps), 1, 1, len(weights)) + bias


def map_product(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    groups: int,
    transposed: bool,
    zero_points: tuple[int, int],
) -> Integers:
    """Return, for each group and pixel of a, the sums of (a - za) * (b - zb).

    a, b: (images, height, width, channels), pixels in the order of rows and columns
    transposed: sums run over the channels of a group of b; a result for each pixel of b. Else over
        the pixels of b; a result for each channel of a group of b
    returns: (images, height of a, width of a, groups * results)
    """
    images, height, width, _ = a.shape
    first, second = (
        by_group(each, groups).astype(np.float64).swapaxes(1, 2) - zero
        for each, zero in zip((a, b), zero_points, strict=True)
    )
    # Integers below 2**53 add exactly in float64, in any order.
    sums = first @ (second.swapaxes(2, 3) if transposed else second)
    return sums.astype(np.int64).swapaxes(1, 2).reshape(images, height, width, -1)


def by_group(maps: NDArray[Any], groups: int) -> NDArray[Any]:
    """Return (images, pixels, groups, channels of a group)."""
    images, height, width, channels = maps.shape
    return maps.reshape(images, height * width, groups, channels // groups)


def weighted_sum(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    zero_points: tuple[int, int],
    multipliers: tuple[int, int],
) -> Integers:
    """Return (a - za) * Ma + (b - zb) * Mb; one common shift and one rounding follow."""
    first, second = (
        (each.astype(np.int64) - zero) * factor
        for each, zero, factor in zip((a, b), zero_points, multipliers, strict=True)
    )
    return first + second


def scaled_operands(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    zero_points: tuple[int, int],
    multipliers: tuple[int, int],
    shifts: tuple[int, int],
    finer: int,
) -> tuple[Integers, Integers]:
    """Return (x - zero point) * 2**finer of both operands, scaled and rounded as `tflite`."""
    first, second = (
        tflite((each.astype(np.int64) - zero) << finer, np.asarray(factor), np.asarray(shift))
        for each, zero, factor, shift in zip((a, b), zero_points, multipliers, shifts, strict=True)
    )
    return first, second


def squared_difference(a: NDArray[Any], b: NDArray[Any], **scales: tuple[int, int]) -> Integers:
    """Return the squares, below 2**31; both operands times 2**7, each scaled and rounded.

    scales: zero points, multipliers and shifts of both, as `scaled_operands` takes them
    """
    first, second = scaled_operands(a, b, finer=FINER, **scales)
    squares: Integers = (first - second) ** 2
    return squares


def product(a: NDArray[Any], b: NDArray[Any], *, zero_points: tuple[int, int]) -> Integers:
    """Return (a - za) * (b - zb); b has the size of a, or one value a channel (1 x 1)."""
    return (a.astype(np.int64) - zero_points[0]) * (b.astype(np.int64) - zero_points[1])


def shortcut(maps: NDArray[Any], *, stride: Pair, channels: int, zero_point: int) -> NDArray[Any]:
    """Return every stride-th pixel with `channels` channels.

    Channels past the input's have the zero point, those past the output's are dropped.
    """
    seen = maps[:, :: stride[0], :: stride[1], :channels]
    missing = channels - seen.shape[3]
    return np.pad(seen, ((0, 0), (0, 0), (0, 0), (0, missing)), constant_values=zero_point)
