"""Reference of `hwgen.rtl.dbpim.simd`: pools and the residual add, on uint8 maps in NHWC order."""

import numpy as np
from numpy.typing import NDArray

from golden.ops.add import weighted_sum
from golden.ops.average_pool import window_sums
from golden.ops.max_pool import max_pool as window_maximum
from golden.ops.requantize import requantize

Bytes = NDArray[np.uint8]


def max_pool(maps: Bytes, *, kernel: int, stride: int, padding: int) -> Bytes:
    """Return the largest byte of each window; the border never wins."""
    return window_maximum(
        maps, kernel=(kernel, kernel), stride=(stride, stride), padding=(padding,) * 4
    )


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
    total = window_sums(maps, kernel=kernel, stride=(stride, stride), zero_point=input_zero_point)
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
    total = weighted_sum(
        a,
        b,
        zero_points=(zero_point_a, zero_point_b),
        multipliers=(multiplier_a, multiplier_b),
    )
    return requantize(total, multiplier=1, shift=shift, zero_point=zero_point, low=low, high=high)
