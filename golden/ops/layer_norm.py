"""Layer normalization over channels, in float32 operations of one order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops import float32
from hwgen.network.layer_norm import SUMS

Bits = NDArray[np.uint32]


def layer_norm(
    maps: NDArray[Any],
    *,
    values: Bits,
    gamma: Bits,
    beta: Bits,
    eps: np.uint32,
    scale: np.uint32,
    centred: bool = True,
) -> NDArray[np.int64]:
    """Return the nearest integers of ((x - mean) / sqrt(variance + eps) * gamma + beta) / scale.

    maps: (images, height, width, channels) of bytes; values: bits of float32 (256) of each byte
    gamma, beta: bits, of all channels or of each head's; the formula in `hwgen.network.layer_norm`
    centred: else the mean is taken for 0, in the variance too
    """
    channels = len(gamma)
    real = values[maps.reshape(-1, channels)]
    distance = real
    if centred:
        mean = float32.quotient(float32.exact_sum(real, axis=1), channels)
        distance = float32.subtract(real, mean[:, np.newaxis])
    variance = float32.divide(sum_of_squares(distance), float32.from_integers(channels))
    deviation = float32.root(float32.add(variance, eps))
    inverse = float32.divide(float32.from_integers(1), deviation)
    normal = float32.multiply(distance, inverse[:, np.newaxis])
    scaled = float32.divide(float32.fma(normal, gamma, beta), scale)
    return float32.to_integers(scaled).reshape(maps.shape)


def sum_of_squares(distance: Bits) -> Bits:
    """Return the sum of squares of each row, (rows,): eight sums, then pairs of them."""
    rows, channels = distance.shape
    steps = distance.reshape(rows, channels // SUMS, SUMS)
    sums = np.zeros((rows, SUMS), np.uint32)
    for step in range(channels // SUMS):
        sums = float32.fma(steps[:, step], steps[:, step], sums)
    for half in (4, 2, 1):
        sums = float32.add(sums[:, :half], sums[:, half : 2 * half])
    return sums[:, 0]
