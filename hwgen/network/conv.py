"""Convolution, with groups.

Tests: `tests/network/test_check_arrays.py`.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import Surroundings, padding_complaints, window_shape
from hwgen.network.maps import Complaint, FeatureMap, Pair, Shape, Sides, Size
from hwgen.network.weights import Weighted


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Conv(Weighted):
    """sum over (kh, kw, c) of input * weight + bias, then requantization unless raw.

    kernel, stride: height, width; padding: top, left, bottom, right, of the zero point
    groups: output and input channels are split into this many runs; run g of the outputs reads
        run g of the inputs
    """

    op: Literal["conv"]
    kernel: Pair
    stride: Pair
    padding: Sides
    groups: Size

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape | None:
        """Return the output shape of the window."""
        return window_shape(
            sources[0],
            self.output.channels,
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
        )

    def weights_shape(self, source: FeatureMap) -> tuple[int, ...]:
        """Return (out, kernel_height, kernel_width, in / groups)."""
        return self.output.channels, *self.kernel, source.channels // self.groups

    def active(self, weights: NDArray[Any], source: FeatureMap, mode: int) -> NDArray[Any]:
        """Return (outputs, inputs) of one mode; groups read all their inputs in every mode."""
        chosen = weights[: self.output.channels_in(mode)]
        if self.groups == 1:
            chosen = chosen[..., : source.channels_in(mode)]
        flat: NDArray[np.integer[Any]] = chosen.reshape(len(chosen), math.prod(chosen.shape[1:]))
        return flat

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that padding is below the kernel, and groups divide the channels in every mode."""
        yield from padding_complaints(self.name, kernel=self.kernel, padding=self.padding)
        source = around.sources[0]
        if source.channels % self.groups or self.output.channels % self.groups:
            allowed = f"a divisor of its channels ({source.channels} and {self.output.channels})"
            yield f"{self.name}.groups", allowed, self.groups
            return
        if self.groups > 1 and (source.mode_channels or self.output.mode_channels):
            yield from self.depthwise_complaints(source, around.modes)
        yield from Weighted.complaints(self, around)

    def depthwise_complaints(self, source: FeatureMap, modes: int) -> Iterator[Complaint]:
        """Check that a grouped convolution is depthwise where modes differ in channels."""
        times = self.output.channels // self.groups
        wanted = [times * source.channels_in(mode) for mode in range(modes)]
        given = [self.output.channels_in(mode) for mode in range(modes)]
        if self.groups != source.channels:
            allowed = f"1 or depthwise ({source.channels}) where modes differ in channels"
            yield f"{self.name}.groups", allowed, self.groups
        elif wanted != given:
            yield f"{self.name}.output.mode_channels", wanted, given
