"""Any function of an element."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def look_up(maps: NDArray[Any], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return table[element] of every element; table: 256 entries."""
    found: NDArray[np.uint8] = table[maps]
    return found
