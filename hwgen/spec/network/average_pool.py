"""Mean over a window."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.spec.network.layer import (
    LayerBase,
    Requantization,
    Surroundings,
    padding_complaints,
    requantization_complaints,
    window_shape,
)
from hwgen.spec.network.maps import (
    STRICT,
    Complaint,
    FeatureMap,
    Pair,
    Shape,
    Sides,
    same_channels_complaints,
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AveragePool(LayerBase):
    """clip(round(sum of (x - zero point) * M, s) + zero point); 1 / n is part of M.

    The divisor is the whole window; padding (top, left, bottom, right) counts as a real zero.
    """

    op: Literal["average_pool"]
    kernel: Pair
    stride: Pair
    padding: Sides
    requantization: tuple[Requantization, ...]

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape | None:
        """Return the output shape of the window."""
        return window_shape(
            sources[0],
            sources[0].channels,
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
        )

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that each mode has a multiplier, and no window lies in the padding alone."""
        yield from padding_complaints(self.name, kernel=self.kernel, padding=self.padding)
        yield from requantization_complaints(self.name, self.requantization, modes=around.modes)
        yield from same_channels_complaints(self.name, around.sources[0], self.output)
