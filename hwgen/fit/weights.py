"""The integers of a layer with other weights: bias and requantization follow.

Tests: `tests/fit/test_fit.py`.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hwgen.network import Parameters
from hwgen.network.quantization import MULTIPLIER_LOW, SHIFT_HIGH, fixed_point

Reals = NDArray[np.float64]
SMALLEST_FACTOR = MULTIPLIER_LOW / 2**SHIFT_HIGH


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """New weights of a layer.

    weights: (filters, places); gains: (filters,), what each filter's sums are multiplied by
    shift: (filters,), added to each sum of the given weights so that its mean stays
    """

    weights: NDArray[np.int64]
    gains: Reals
    shift: Reals


def refitted(given: Parameters, fitted: Fitted, *, zero_point: int) -> Parameters:
    """Return the integers of a layer of one mode with new weights.

    zero_point: of the input; the gain of a filter goes into its multiplier, so its sums times the
    old factor keep their real meaning
    """
    old = given.weights.reshape(len(given.weights), -1).astype(np.int64)
    centred = given.bias[0] + zero_point * old.sum(axis=1) + fitted.shift
    bias = np.rint(centred / fitted.gains).astype(np.int64)
    bias -= zero_point * fitted.weights.sum(axis=1)
    pairs = [
        factor_of(int(multiplier) * 2.0 ** -int(shift) * gain)
        for multiplier, shift, gain in zip(
            given.multiplier[0], given.shift[0], fitted.gains, strict=False
        )
    ]
    scaled = given.multiplier.shape[1]
    return replace(
        given,
        weights=fitted.weights.reshape(given.weights.shape).astype(given.weights.dtype),
        bias=bias[np.newaxis],
        multiplier=np.array([pair[0] for pair in pairs], np.uint32).reshape(1, scaled),
        shift=np.array([pair[1] for pair in pairs], np.uint8).reshape(1, scaled),
        weight_scale=(given.weight_scale * fitted.gains).astype(np.float32),
    )


def factor_of(real: float) -> tuple[int, int]:
    """Return multiplier and shift of a factor."""
    if real < SMALLEST_FACTOR:
        return MULTIPLIER_LOW, SHIFT_HIGH
    return fixed_point(real)
