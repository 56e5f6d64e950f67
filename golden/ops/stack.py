"""Maps one below the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def stack(maps: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the rows of all maps in their order."""
    return np.concatenate(list(maps), axis=1)
