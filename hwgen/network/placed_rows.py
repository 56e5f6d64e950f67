"""What a host does to make the image of a call: the row of a token plus that of its position.

Tests: `tests/network/test_placed_rows.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.network.maps import Complaint, FeatureMap

PLACES = 8
"""Bits behind the point of the entries of both tables, in steps of the image."""


@dataclass(frozen=True)
class PlacedRows:
    """Tables of a host, int16: element = clip(((token + position + 128) >> 8) + zero point).

    tokens: (classes of the answer, channels of the image); positions: (positions, channels)
    """

    tokens: NDArray[np.int16]
    positions: NDArray[np.int16]

    def image(self, feature: FeatureMap, token: int, position: int) -> NDArray[np.uint8]:
        """Return the image of a call, uint8 (1, 1, channels); feature: the network's input."""
        values = feature.quantization[0]
        total = self.tokens[token].astype(np.int64) + self.positions[position]
        steps = (total + (1 << PLACES - 1) >> PLACES) + values.zero_point
        found: NDArray[np.uint8] = steps.clip(values.low, values.high).astype(np.uint8)
        return found.reshape(1, 1, -1)


def placed_complaints(
    rows: PlacedRows, image: FeatureMap, *, classes: int, positions: int
) -> Iterator[Complaint]:
    """Check that there is a row of the image for each class of the answer and each position."""
    for name, given, count in (
        ("placed_tokens", rows.tokens, classes),
        ("placed_positions", rows.positions, positions),
    ):
        wanted = (count, image.channels)
        if given.dtype != np.int16 or given.shape != wanted:
            yield name, f"int16 of shape {wanted}", f"{given.dtype} of shape {given.shape}"
