"""Product of two maps, before requantization."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def product(a: NDArray[Any], b: NDArray[Any], *, zero_points: tuple[int, int]) -> NDArray[np.int64]:
    """Return (a - za) * (b - zb); b has the size of a, or one value a channel (1 x 1)."""
    return (a.astype(np.int64) - zero_points[0]) * (b.astype(np.int64) - zero_points[1])
