"""Concatenation of maps along the channels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def concatenate(maps: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the channels of all maps in their order."""
    return np.concatenate(list(maps), axis=3)
