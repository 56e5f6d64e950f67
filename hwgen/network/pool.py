"""What both poolings share: a window over each channel.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator, Sequence

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network import maps
from hwgen.network.layer import LayerBase, Surroundings, padding_complaints, window_shape


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Pool(LayerBase):
    """A window over each channel alone.

    kernel, stride: height, width; padding: top, left, bottom, right
    """

    kernel: maps.Pair
    stride: maps.Pair
    padding: maps.Sides

    def output_shape(self, sources: Sequence[maps.FeatureMap]) -> maps.Shape | None:
        """Return the shape that the window leaves of the map."""
        return window_shape(
            sources[0],
            sources[0].channels,
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
        )

    def complaints(self, around: Surroundings) -> Iterator[maps.Complaint]:
        """Check that no window lies in the padding alone, and that modes keep their channels."""
        yield from padding_complaints(self.name, kernel=self.kernel, padding=self.padding)
        yield from maps.same_channels_complaints(self.name, around.sources[0], self.output)
