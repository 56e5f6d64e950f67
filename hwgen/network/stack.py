"""Maps one behind the other: a class token before the tokens of an image.

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
    """The pixels of all inputs, row after row, in their order; one mode.

    Maps of one width keep it: their rows lie below each other. Else the output is one column.
    """

    op: Literal["stack"]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, MOST_INPUTS)

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the pixels of all, in the width that all have or in one column."""
        widths = {source.width for source in sources}
        width = widths.pop() if len(widths) == 1 else 1
        pixels = sum(source.height * source.width for source in sources)
        return pixels // width, width, sources[0].channels

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that pixels are alike, all inputs have one quantization, and there is one mode."""
        yield from one_mode_complaints(self.name, around)
        sizes = [source.channels for source in around.sources]
        if len(set(sizes)) > 1:
            yield f"{self.name} inputs", "of as many channels", sizes
        for source in around.sources:
            yield from same_values_complaints(self.name, source, self.output)
