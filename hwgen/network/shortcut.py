"""The shortcut of a residual block without weights (option A).

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network import maps
from hwgen.network.layer import LayerBase, Surroundings


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Shortcut(LayerBase):
    """Every stride-th pixel; channels past the input's are zero, those past the output's dropped.

    stride: vertical, horizontal; a channel of zeros holds the zero point
    """

    op: Literal["shortcut"]
    stride: maps.Pair

    def output_shape(self, sources: Sequence[maps.FeatureMap]) -> maps.Shape:
        """Return the subsampled size; any channels."""
        height, width, _ = sources[0].shape
        rows, columns = (height - 1) // self.stride[0] + 1, (width - 1) // self.stride[1] + 1
        return rows, columns, self.output.channels

    def complaints(self, around: Surroundings) -> Iterator[maps.Complaint]:
        """Check that the quantization stays, and the zero of added channels lies in the range."""
        source = around.sources[0]
        yield from maps.same_values_complaints(self.name, source, self.output)
        for mode, values in enumerate(self.output.quantization):
            longer = self.output.channels_in(mode) > source.channels_in(mode)
            if longer and not values.low <= values.zero_point <= values.high:
                where = f"{self.name}.output.quantization.{mode}.zero_point"
                yield where, f"from {values.low} to {values.high}", values.zero_point
