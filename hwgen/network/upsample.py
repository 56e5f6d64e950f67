"""A larger map: pixels repeated, or zeros between them.

Tests: `tests/network/test_check.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network import maps
from hwgen.network.layer import LayerBase, Surroundings


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Upsample(LayerBase):
    """Every pixel at `factor` times its place.

    factor: vertical, horizontal
    fill: `repeat`: a pixel fills factor x factor places (nearest neighbour); `zero`: zero points
        between pixels, none behind the last. A convolution behind it is a transposed one
    """

    op: Literal["upsample"]
    factor: maps.Pair
    fill: Literal["repeat", "zero"]

    def output_shape(self, sources: Sequence[maps.FeatureMap]) -> maps.Shape:
        """Return the grown size, the same channels."""
        height, width, channels = sources[0].shape
        if self.fill == "repeat":
            return height * self.factor[0], width * self.factor[1], channels
        return (height - 1) * self.factor[0] + 1, (width - 1) * self.factor[1] + 1, channels

    def complaints(self, around: Surroundings) -> Iterator[maps.Complaint]:
        """Check that values stay, and the zero between pixels lies in the range."""
        source = around.sources[0]
        yield from maps.same_values_complaints(self.name, source, self.output)
        yield from maps.same_channels_complaints(self.name, source, self.output)
        for mode, values in enumerate(self.output.quantization):
            if self.fill == "zero" and not values.low <= values.zero_point <= values.high:
                where = f"{self.name}.output.quantization.{mode}.zero_point"
                yield where, f"from {values.low} to {values.high}", values.zero_point
