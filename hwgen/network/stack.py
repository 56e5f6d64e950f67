"""Maps one below the other: a class token before the tokens of an image.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.concatenate import MOST_INPUTS
from hwgen.network.layer import LayerBase, Surroundings, one_mode_complaints
from hwgen.network.maps import Complaint, FeatureMap, Shape, same_values_complaints


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Stack(LayerBase):
    """The rows of all inputs in their order; networks with several modes have none."""

    op: Literal["stack"]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, MOST_INPUTS)

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the rows of all, and the width and channels of the first."""
        _, width, channels = sources[0].shape
        return sum(source.height for source in sources), width, channels

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that rows are alike, all inputs have one quantization, and there is one mode."""
        yield from one_mode_complaints(self.name, around)
        sizes = [source.shape[1:] for source in around.sources]
        if len(set(sizes)) > 1:
            yield f"{self.name} inputs", "of one width and as many channels", sizes
        for source in around.sources:
            yield from same_values_complaints(self.name, source, self.output)
