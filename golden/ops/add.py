"""Residual add, before requantization."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops.requantize import tflite
from hwgen.network.add import OPERAND_SHIFT


def weighted_sum(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    zero_points: tuple[int, int],
    multipliers: tuple[int, int],
) -> NDArray[np.int64]:
    """Return (a - za) * Ma + (b - zb) * Mb; one common shift and one rounding follow."""
    scaled_a = (a.astype(np.int64) - zero_points[0]) * multipliers[0]
    scaled_b = (b.astype(np.int64) - zero_points[1]) * multipliers[1]
    return scaled_a + scaled_b


def scaled_sum(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    zero_points: tuple[int, int],
    multipliers: tuple[int, int],
    shifts: tuple[int, int],
) -> NDArray[np.int64]:
    """Return both operands times 2**20, each scaled and rounded as `tflite`, in one sum."""
    first, second = (
        scaled_operand(*each, finer=OPERAND_SHIFT)
        for each in zip((a, b), zero_points, multipliers, shifts, strict=True)
    )
    return first + second


def scaled_operand(
    values: NDArray[Any], zero_point: int, multiplier: int, shift: int, *, finer: int
) -> NDArray[np.int64]:
    """Return (values - zero point) * 2**finer, scaled and rounded as `tflite`."""
    centred = (values.astype(np.int64) - zero_point) << finer
    return tflite(centred, np.asarray(multiplier), np.asarray(shift))
