"""Product of two maps by groups (heads), before requantization.

Tests: `tests/golden/test_network.py`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def map_product(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    groups: int,
    transposed: bool,
    zero_points: tuple[int, int],
) -> NDArray[np.int64]:
    """Return, for each group and pixel of a, the sums of (a - za) * (b - zb).

    a, b: (images, height, width, channels), pixels in the order of rows and columns
    transposed: sums run over the channels of a group of b; a result for each pixel of b. Else over
        the pixels of b; a result for each channel of a group of b
    returns: (images, height of a, width of a, groups * results)
    """
    images, height, width, _ = a.shape
    first, second = (
        split(each, zero, groups) for each, zero in zip((a, b), zero_points, strict=True)
    )
    # Integers below 2**53 add exactly in float64, in any order.
    sums = first @ (second.swapaxes(2, 3) if transposed else second)
    return sums.astype(np.int64).swapaxes(1, 2).reshape(images, height, width, -1)


def split(maps: NDArray[Any], zero_point: int, groups: int) -> NDArray[np.float64]:
    """Return (images, groups, pixels, channels of a group) without the zero point."""
    images, height, width, channels = maps.shape
    pixels = maps.reshape(images, height * width, groups, channels // groups).astype(np.float64)
    return pixels.swapaxes(1, 2) - zero_point
