"""A map that does not depend on the image: position embeddings, a class token.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network import layer
from hwgen.network.maps import BYTE_BITS, Complaint, FeatureMap, Shape


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Constant(layer.LayerBase):
    """Array `map` uint8 (height, width, channels): the elements."""

    op: Literal["constant"]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (0, 0)
    ARRAY_TYPES: ClassVar[dict[str, tuple[Any, ...]]] = {"map": (np.uint8,)}

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the shape that the file gives it."""
        return self.output.shape

    def complaints(self, around: layer.Surroundings) -> Iterator[Complaint]:
        """Check that the elements are bytes of the range of the map."""
        yield from layer.one_mode_complaints(self.name, around)
        yield from elements_complaints(self.name, self.output, around.arrays["map"])


def elements_complaints(name: str, output: FeatureMap, given: NDArray[Any]) -> Iterator[Complaint]:
    """Check that elements are bytes of the shape and the range of a map."""
    if output.bits > BYTE_BITS:
        yield f"{name}.output.bits", f"at most {BYTE_BITS}", output.bits
        return
    mistakes = [
        *layer.array_type_complaints(name, "map", given, (np.uint8,)),
        *layer.array_shape_complaints(name, "map", given, output.shape),
    ]
    yield from mistakes
    if mistakes:
        return
    values = output.quantization[0]
    outside = given[(given < values.low) | (given > values.high)]
    if outside.size:
        yield f"{name}.map", f"from {values.low} to {values.high}", outside[0]
