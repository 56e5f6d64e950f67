"""Concatenation of maps along the channels.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import LayerBase, Surroundings, one_mode_complaints
from hwgen.network.maps import Complaint, FeatureMap, Shape, same_values_complaints

MOST_INPUTS = 65535


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Concatenate(LayerBase):
    """The channels of all inputs in their order; networks with several modes have none."""

    op: Literal["concatenate"]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, MOST_INPUTS)

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the size of the first, and the channels of all."""
        height, width, _ = sources[0].shape
        return height, width, sum(source.channels for source in sources)

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that all inputs have one size and one quantization, and there is one mode."""
        yield from one_mode_complaints(self.name, around)
        sizes = [source.shape[:2] for source in around.sources]
        if len(set(sizes)) > 1:
            yield f"{self.name} inputs", "of one height and width", sizes
        for source in around.sources:
            yield from same_values_complaints(self.name, source, self.output)
