"""Maps as they lie in the memory of a chip, and as arrays.

Tests: `tests/host/test_maps.py`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.in_memory import MapLayout
from hwgen.network.maps import FeatureMap


def array_of(data: bytes, layout: MapLayout, feature: FeatureMap) -> NDArray[Any]:
    """Return the elements of a map: (height, width, channels), of the type of the map.

    data: `layout.size` bytes; elements of a raw map are signed
    """
    height, width, channels = layout.shape
    pixel = np.arange(height * width)[:, None, None]
    begin = 8 * layout.block_bytes * (pixel // layout.block_pixels)
    begin = begin + layout.pixel_bits * (pixel % layout.block_pixels)
    element = begin + layout.element_bits * np.arange(channels)[:, None]
    places = element + np.arange(layout.element_bits)
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[places]
    weights = [1 << place for place in range(layout.element_bits)]
    if feature.raw:
        weights[-1] = -weights[-1]
    values = bits.astype(np.int64) @ np.array(weights, np.int64)
    found: NDArray[Any] = values.astype(feature.dtype).reshape(layout.shape)
    return found
