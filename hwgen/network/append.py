"""Rows that a call adds to a state at its position: keys and values of the tokens so far.

Tests: `tests/network/test_states.py`.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import LayerBase, Surroundings, one_mode_complaints
from hwgen.network.maps import Complaint, FeatureMap, Shape, same_values_complaints


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Append(LayerBase):
    """The first input, a state of T pixels, with the n pixels of the second from the position p on.

    out[p + i] = row[i] for i < n, out[j] = cache[j] elsewhere; pixels count row after row. A call
    with p + n > T is refused. It is the `next` of that state.
    """

    op: Literal["append"]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, 2)

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the shape of the state."""
        return sources[0].shape

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that pixels are alike and fit, in one quantization."""
        yield from one_mode_complaints(self.name, around)
        cache, row = around.sources
        if row.channels != cache.channels:
            yield f"{self.name} inputs", "of as many channels", [cache.channels, row.channels]
        if pixels_of(row) > pixels_of(cache):
            yield f"{self.name} inputs", f"at most {pixels_of(cache)} new pixels", pixels_of(row)
        for source in around.sources:
            yield from same_values_complaints(self.name, source, self.output)


def pixels_of(feature: FeatureMap) -> int:
    """Return the pixels of a map."""
    return feature.height * feature.width
