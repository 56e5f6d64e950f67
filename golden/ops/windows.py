"""The windows that a kernel sees of a map."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
NO_PADDING = (0, 0, 0, 0)


def windows(
    maps: NDArray[Any],
    *,
    kernel: Pair,
    stride: Pair,
    padding: Sides = NO_PADDING,
    fill: int = 0,
) -> NDArray[Any]:
    """Return the windows of a kernel (height, width), the border filled with `fill`.

    maps: (images, height, width, channels); padding: top, left, bottom, right
    returns: (images, out_height, out_width, kernel_height, kernel_width, channels), a view
    """
    top, left, bottom, right = padding
    border = ((0, 0), (top, bottom), (left, right), (0, 0))
    padded = np.pad(maps, border, constant_values=fill)
    seen = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    return np.moveaxis(seen[:, :: stride[0], :: stride[1]], 3, 5)
