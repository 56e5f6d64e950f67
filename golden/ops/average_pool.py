"""Mean over a window, before requantization."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops.windows import NO_PADDING, Pair, Sides, windows


def window_sums(
    maps: NDArray[Any],
    *,
    kernel: Pair,
    stride: Pair,
    padding: Sides = NO_PADDING,
    zero_point: int,
) -> NDArray[np.int64]:
    """Return the sum of (x - zero_point) of each window; padding adds nothing.

    1 / n of the mean is part of the multiplier of the requantization that follows.
    """
    centred = maps.astype(np.int64) - zero_point
    seen = windows(centred, kernel=kernel, stride=stride, padding=padding)
    total: NDArray[np.int64] = seen.sum(axis=(3, 4))
    return total
