"""Convolution as a matrix product: the windows of a map as rows (seed 002, V-D, Eq. 7)."""

import math

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def windows(
    maps: Bytes, *, kernel: tuple[int, int], stride: int, padding: int = 0, fill: int = 0
) -> Bytes:
    """Return the windows that a kernel of (height, width) sees, the border filled with `fill`.

    maps: (images, height, width, channels)
    returns: (images, out_height, out_width, kernel_height, kernel_width, channels), a view
    """
    border = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    padded = np.pad(maps, border, constant_values=fill)
    seen = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    return np.moveaxis(seen[:, ::stride, ::stride], 3, 5)


def im2col(
    maps: Bytes, *, kernel: tuple[int, int], stride: int, padding: int, zero_point: int
) -> Bytes:
    """Return (images, out_height, out_width, k); k runs over (kh, kw, c), the channel fastest."""
    seen = windows(maps, kernel=kernel, stride=stride, padding=padding, fill=zero_point)
    return seen.reshape(*seen.shape[:3], math.prod(seen.shape[3:]))
