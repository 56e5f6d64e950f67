"""Convolutions of ones: channels of a map in another order, exactly, with zeros between them.

Tests: `tests/network/test_padded_heads.py`, `tests/network/test_given_places.py`.
"""

from collections.abc import Sequence

import numpy as np

from hwgen.network.conv import Conv
from hwgen.network.maps import FeatureMap
from hwgen.network.quantization import HALF_UP, MULTIPLIER_BITS, MULTIPLIER_LOW
from hwgen.network.weights import INT8_BITS, Parameters

ZERO = -1
"""The place of a channel that is a real zero."""
ONE_PIXEL = (1, 1)


def selection(
    name: str, source: str, before: FeatureMap, output: FeatureMap, places: Sequence[int]
) -> tuple[Conv, Parameters]:
    """Return the layer whose channels are those of a map at some places, and its integers.

    before: the map `source`; output: of the layer, with as many channels as places
    """
    layer = Conv(
        op="conv",
        name=name,
        inputs=(source,),
        output=output,
        source="",
        weight_bits=INT8_BITS,
        weight_grid="integer",
        rounding=HALF_UP,
        kernel=ONE_PIXEL,
        stride=ONE_PIXEL,
        padding=(0, 0, 0, 0),
        groups=1,
    )
    (old,), (new,), found = before.quantization, output.quantization, np.array(places)
    taken = np.flatnonzero(found != ZERO)
    weights = np.zeros((len(found), 1, 1, before.channels), np.int8)
    weights[taken, 0, 0, found[taken]] = 1
    return layer, Parameters(
        weights=weights,
        bias=np.where(found == ZERO, 0, -new.zero_point)[np.newaxis],
        multiplier=np.full((1, len(found)), MULTIPLIER_LOW, np.uint32),
        shift=np.full((1, len(found)), MULTIPLIER_BITS - 1, np.uint8),
        weight_scale=np.full(len(found), new.scale / old.scale, np.float32),
    )
