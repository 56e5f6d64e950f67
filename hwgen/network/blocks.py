"""Blocks of pixels as channels, and back."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.network.layer import LayerBase, Surroundings, one_mode_complaints
from hwgen.network.maps import (
    STRICT,
    Complaint,
    FeatureMap,
    Pair,
    Shape,
    same_values_complaints,
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Blocks(LayerBase):
    """Pixel (y, x) of a block of `block` pixels and channel c of C are one channel of another map.

    block: height bh, width bw
    order: `block_first`: that channel is (y * bw + x) * C + c (TFLite, DCR of ONNX);
        `channel_first`: c * bh * bw + y * bw + x (CRD of ONNX)
    """

    block: Pair
    order: Literal["block_first", "channel_first"]

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that values stay and there is one mode."""
        yield from one_mode_complaints(self.name, around)
        yield from same_values_complaints(self.name, around.sources[0], self.output)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DepthToSpace(Blocks):
    """Channels become blocks of pixels."""

    op: Literal["depth_to_space"]

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape | None:
        """Return the larger size with fewer channels; None if blocks do not divide these."""
        height, width, channels = sources[0].shape
        down, across = self.block
        if channels % (down * across):
            return None
        return height * down, width * across, channels // (down * across)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SpaceToDepth(Blocks):
    """Blocks of pixels become channels."""

    op: Literal["space_to_depth"]

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape | None:
        """Return the smaller size with more channels; None if blocks do not divide it."""
        height, width, channels = sources[0].shape
        down, across = self.block
        if height % down or width % across:
            return None
        return height // down, width // across, channels * down * across
