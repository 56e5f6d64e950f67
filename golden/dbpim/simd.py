"""Reference of `hwgen.rtl.dbpim.simd`: pools and the residual add, on uint8 maps in NHWC order."""

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.im2col import windows
from golden.dbpim.requantizer import requantize

Bytes = NDArray[np.uint8]


def max_pool(maps: Bytes, *, kernel: int, stride: int, padding: int) -> Bytes:
    """Return the largest byte of each window; the border is 0 and so never wins."""
    seen = windows(maps, kernel=(kernel, kernel), stride=stride, padding=padding)
    largest: Bytes = seen.max(axis=(3, 4))
    return largest


def average_pool(
    maps: Bytes,
    *,
    kernel: tuple[int, int],
    stride: int,
    input_zero_point: int,
    multiplier: int,
    shift: int,
    zero_point: int,
    low: int,
    high: int,
) -> Bytes:
    """Return requantize(sum of (x - input_zero_point)) of each window; 1 / n is in multiplier."""
    seen = windows(maps, kernel=kernel, stride=stride)
    total = seen.sum(axis=(3, 4), dtype=np.int64) - kernel[0] * kernel[1] * input_zero_point
    return requantize(
        total, multiplier=multiplier, shift=shift, zero_point=zero_point, low=low, high=high
    )


def add(
    a: Bytes,
    b: Bytes,
    *,
    zero_point_a: int,
    zero_point_b: int,
    multiplier_a: int,
    multiplier_b: int,
    shift: int,
    zero_point: int,
    low: int,
    high: int,
) -> Bytes:
    """Return requantize((a - za) * Ma + (b - zb) * Mb) with one common shift and one rounding."""
    scaled_a = (a.astype(np.int64) - zero_point_a) * multiplier_a
    scaled_b = (b.astype(np.int64) - zero_point_b) * multiplier_b
    return requantize(
        scaled_a + scaled_b, multiplier=1, shift=shift, zero_point=zero_point, low=low, high=high
    )
