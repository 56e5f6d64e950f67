"""New pixels in a map of all pixels so far."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def append(cache: NDArray[Any], row: NDArray[Any], *, position: int) -> NDArray[Any]:
    """Return `cache` with the pixels of `row` from the pixel `position` on.

    cache, row: (images, height, width, channels), pixels counted row after row
    Raises ValueError where the pixels do not fit behind the position.
    """
    images, channels = len(row), cache.shape[3]
    pixels = row.reshape(images, -1, channels)
    made: NDArray[Any] = np.array(cache).reshape(images, -1, channels)
    if not 0 <= position <= made.shape[1] - pixels.shape[1]:
        most = made.shape[1] - pixels.shape[1]
        raise ValueError(f"the position must be from 0 to {most}, got {position}")
    made[:, position : position + pixels.shape[1]] = pixels
    return made.reshape(cache.shape)
