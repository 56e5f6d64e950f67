"""Maximum over a window."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.spec.network.layer import LayerBase, Surroundings, padding_complaints, window_shape
from hwgen.spec.network.maps import (
    STRICT,
    Complaint,
    FeatureMap,
    Pair,
    Shape,
    Sides,
    same_channels_complaints,
    same_values_complaints,
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MaxPool(LayerBase):
    """Largest integer of a window; padding (top, left, bottom, right) never wins."""

    op: Literal["max_pool"]
    kernel: Pair
    stride: Pair
    padding: Sides

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
        """Check that the quantization stays, and no window lies in the padding alone."""
        yield from padding_complaints(self.name, kernel=self.kernel, padding=self.padding)
        yield from same_values_complaints(self.name, around.sources[0], self.output)
        yield from same_channels_complaints(self.name, around.sources[0], self.output)
