"""A larger map: pixels repeated, or zeros between them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops.windows import Pair


def upsample(maps: NDArray[Any], *, factor: Pair, zero_point: int | None) -> NDArray[Any]:
    """Return every pixel at `factor` times its place.

    zero_point: stands between pixels; None: the pixel itself is repeated, behind the last too
    """
    if zero_point is None:
        return maps.repeat(factor[0], axis=1).repeat(factor[1], axis=2)
    images, height, width, channels = maps.shape
    size = (height - 1) * factor[0] + 1, (width - 1) * factor[1] + 1
    wide = np.full((images, *size, channels), zero_point, maps.dtype)
    wide[:, :: factor[0], :: factor[1]] = maps
    return wide
