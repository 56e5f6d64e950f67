"""A map with another scale and zero point, before requantization."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def centred(maps: NDArray[Any], *, zero_point: int) -> NDArray[np.int64]:
    """Return x - zero_point; multiplier and shift of the requantization carry the scales."""
    return maps.astype(np.int64) - zero_point
