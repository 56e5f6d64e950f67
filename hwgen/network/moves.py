"""Layers that leave every integer and change its place: transpositions and new shapes.

Tests: `tests/network/test_check.py`.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import LayerBase, Surroundings, one_mode_complaints
from hwgen.network.maps import Complaint, FeatureMap, Shape, same_values_complaints


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Transpose(LayerBase):
    """A map with its axes in another order; order: that axis of the input which each one is."""

    op: Literal["transpose"]
    order: tuple[Literal[0, 1, 2], Literal[0, 1, 2], Literal[0, 1, 2]]

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the sides in their new order."""
        shape = sources[0].shape
        first, second, third = self.order
        return shape[first], shape[second], shape[third]

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that each axis occurs once, values stay and there is one mode."""
        yield from one_mode_complaints(self.name, around)
        if sorted(self.order) != [0, 1, 2]:
            yield f"{self.name}.order", "0, 1 and 2 in any order", list(self.order)
        yield from same_values_complaints(self.name, around.sources[0], self.output)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Reshape(LayerBase):
    """The same elements in the same (row, column, channel) order under another shape."""

    op: Literal["reshape"]

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the shape of the output."""
        return self.output.shape

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that the number of elements and values stay, and there is one mode."""
        yield from one_mode_complaints(self.name, around)
        elements = math.prod(around.sources[0].shape)
        if math.prod(self.output.shape) != elements:
            yield f"{self.name}.output", f"of {elements} elements", self.output.shape
        yield from same_values_complaints(self.name, around.sources[0], self.output)
