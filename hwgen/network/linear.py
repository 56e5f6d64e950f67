"""Fully connected layer over a whole map.

Tests: `tests/network/test_check_arrays.py`.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.maps import FeatureMap, Shape
from hwgen.network.weights import Weighted


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Linear(Weighted):
    """sum over (row, column, channel) of input * weight + bias, then requantization unless raw."""

    op: Literal["linear"]

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return 1, 1, channels."""
        return 1, 1, self.output.channels

    def weights_shape(self, source: FeatureMap) -> tuple[int, ...]:
        """Return (out, height * width * channels)."""
        return self.output.channels, math.prod(source.shape)

    def active(self, weights: NDArray[Any], source: FeatureMap, mode: int) -> NDArray[Any]:
        """Return (outputs, inputs) of one mode: the first channels of every pixel."""
        chosen = weights[: self.output.channels_in(mode)]
        pixels = chosen.reshape(len(chosen), -1, source.channels)[..., : source.channels_in(mode)]
        flat: NDArray[np.integer[Any]] = pixels.reshape(len(chosen), -1)
        return flat
