"""Square of the difference of two maps, before requantization."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops.add import scaled_operand
from hwgen.network.squared_difference import FINER


def squared_difference(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    zero_points: tuple[int, int],
    multipliers: tuple[int, int],
    shifts: tuple[int, int],
) -> NDArray[np.int64]:
    """Return the squares, below 2**31; both operands times 2**7, each scaled and rounded."""
    first, second = (
        scaled_operand(*each, finer=FINER)
        for each in zip((a, b), zero_points, multipliers, shifts, strict=True)
    )
    squares: NDArray[np.int64] = (first - second) ** 2
    return squares
