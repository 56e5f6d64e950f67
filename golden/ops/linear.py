"""Fully connected layer over a whole map."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def linear(maps: NDArray[Any], weights: NDArray[Any], bias: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return bias + sum over (row, column, channel) of input * weight: (images, 1, 1, out).

    weights: (out, height * width * channels), the channel fastest
    """
    flat = maps.reshape(len(maps), math.prod(maps.shape[1:])).astype(np.float64)
    # Integers below 2**53 add exactly in float64, in any order.
    sums = flat @ weights.astype(np.float64).T
    return sums.astype(np.int64).reshape(len(maps), 1, 1, len(weights)) + bias
