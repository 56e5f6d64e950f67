"""Maps one behind the other, pixel by pixel."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def stack(maps: Sequence[NDArray[Any]], *, shape: tuple[int, int, int]) -> NDArray[Any]:
    """Return the pixels of all maps, row after row, in their order.

    maps: (images, height, width, channels); shape: of the result, without images
    """
    pixels = [values.reshape(len(values), -1, values.shape[3]) for values in maps]
    return np.concatenate(pixels, axis=1).reshape(-1, *shape)
