"""Softmax over groups of channels, in float32 operations of one order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops import float32


def softmax(
    maps: NDArray[Any], *, groups: int, exponentials: NDArray[np.uint32], factor: int
) -> NDArray[np.int64]:
    """Return the nearest integers of exponential * factor / sum of the exponentials of a group.

    maps: (images, height, width, channels) of bytes; exponentials: bits of float32 (256), of each
        distance from the largest byte of a group
    The sum runs from the first channel of a group to its last, each step rounded.
    """
    parts = maps.reshape(-1, groups, maps.shape[3] // groups).astype(np.int64)
    distances = parts.max(axis=2, keepdims=True) - parts
    values = exponentials[distances]
    total = values[..., 0]
    for place in range(1, values.shape[2]):
        total = float32.add(total, values[..., place])
    # A table holds all 256 dividends.
    scaled = float32.multiply(exponentials, float32.from_integers(factor))[distances]
    shares = float32.divide(scaled, total[..., np.newaxis])
    return float32.to_integers(shares).reshape(maps.shape)
