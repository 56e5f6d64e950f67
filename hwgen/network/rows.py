"""Some rows of a map: the last ones of a stream of frames.

Tests: `tests/network/test_states.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import LayerBase, Surroundings, one_mode_complaints
from hwgen.network.maps import Complaint, Count, FeatureMap, Shape, Size, same_values_complaints


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Rows(LayerBase):
    """The rows from `first` on, `count` of them."""

    op: Literal["rows"]
    first: Count
    count: Size

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the shape with fewer rows."""
        return self.count, sources[0].width, sources[0].channels

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that the rows are there, and keep their values."""
        yield from one_mode_complaints(self.name, around)
        source = around.sources[0]
        if self.first + self.count > source.height:
            allowed = f"within the {source.height} rows of the input"
            yield f"{self.name} rows", allowed, f"{self.first} to {self.first + self.count - 1}"
        yield from same_values_complaints(self.name, source, self.output)
