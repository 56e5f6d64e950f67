"""Elements in memory become arrays, of any width, signed or not."""

import numpy as np
import pytest

from hwgen.chip.in_memory import MapLayout
from hwgen.host.maps import array_of
from hwgen.network.maps import byte_map, raw_map

SHAPE = (3, 2, 5)


@pytest.mark.parametrize("bits", [3, 8, 13, 32])
@pytest.mark.parametrize("raw", [False, True])
def test_elements_are_found(bits: int, raw: bool) -> None:
    """The reference places each element, bit by bit, in one large number."""
    rng, channels = np.random.default_rng([bits, raw]), SHAPE[2]
    layout = MapLayout(
        shape=SHAPE,
        element_bits=bits,
        pixel_bits=bits * channels + 1,
        block_pixels=4,
        block_bytes=90,
        size=180,
    )
    low, high = (-(1 << bits - 1), 1 << bits - 1) if raw else (0, 1 << min(bits, 8))
    values = rng.integers(low, high, SHAPE)
    values[0, 0, :2] = low, high - 1
    whole = 0
    for pixel, row in enumerate(values.reshape(-1, channels).tolist()):
        for channel, value in enumerate(row):
            place = 720 * (pixel // 4) + layout.pixel_bits * (pixel % 4) + bits * channel
            whole |= (value & ((1 << bits) - 1)) << place
    feature = (
        raw_map(SHAPE, scale=1.0)
        if raw
        else byte_map(SHAPE, scale=1.0, zero_point=0, low=0, high=255)
    )
    found = array_of(whole.to_bytes(180, "little"), layout, feature)
    assert found.dtype == feature.dtype and (found == values).all()
