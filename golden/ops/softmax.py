"""Softmax over groups of channels, in float32 operations of one order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops import float32


def softmax(
    maps: NDArray[Any],
    *,
    groups: int,
    exponentials: NDArray[np.uint32],
    factor: int,
    keys: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the nearest integers of exponential * factor / sum of the exponentials of a group.

    maps: (images, height, width, channels) of bytes; exponentials: bits of float32 (256), of each
        distance from the largest byte of a group
    keys: of each pixel, row after row, how many first channels of a group count, at least one; the
        shares of the others are zero; None: all
    The sum runs from the first channel of a group to its last, each step rounded.
    """
    parts = maps.reshape(-1, groups, maps.shape[3] // groups).astype(np.int64)
    counts = np.ones(parts.shape, np.bool_)
    if keys is not None:
        pixels = np.tile(keys, len(maps)).reshape(-1, 1, 1)
        counts = np.broadcast_to(np.arange(parts.shape[2]) < pixels, parts.shape)
    distances = np.where(counts, np.where(counts, parts, 0).max(axis=2, keepdims=True) - parts, 0)
    values = np.where(counts, exponentials[distances], np.uint32(0))
    total = values[..., 0]
    for place in range(1, values.shape[2]):
        total = float32.add(total, values[..., place])
    # A table holds all 256 dividends.
    scaled = float32.multiply(exponentials, float32.from_integers(factor))[distances]
    shares = float32.divide(scaled, total[..., np.newaxis])
    return np.where(counts, float32.to_integers(shares), 0).reshape(maps.shape)
