"""Convolution as a matrix product for each group (seed 002, V-D, Eq. 7)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops.windows import Pair, Sides, windows

PRODUCTS_AT_ONCE = 1 << 22
"""Elements of an im2col matrix that are in memory at a time (32 MB as float64)."""


def conv(
    maps: NDArray[Any],
    weights: NDArray[Any],
    bias: NDArray[np.int64],
    *,
    stride: Pair,
    padding: Sides,
    groups: int,
    zero_point: int,
) -> NDArray[np.int64]:
    """Return bias + sum over (kh, kw, c) of input * weight; padding has the zero point.

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
        by_group = np.moveaxis(seen.reshape(positions, taps, groups, inputs), 2, 0)
        patches = by_group.reshape(groups, positions, taps * inputs)
        # Integers below 2**53 add exactly in float64, in any order.
        product = patches.astype(np.float64) @ filters.transpose(0, 2, 1)
        sums.append(np.moveaxis(product, 0, 1).reshape(count, height, width, len(weights)))
    return np.concatenate(sums).astype(np.int64) + bias
