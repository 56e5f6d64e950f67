"""The larger of two maps, element by element."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from hwgen.network.layer import LayerBase, Surroundings
from hwgen.network.maps import (
    STRICT,
    Complaint,
    same_channels_complaints,
    same_values_complaints,
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Maximum(LayerBase):
    """max(a, b) of two maps of one shape and one quantization."""

    op: Literal["maximum"]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, 2)

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that both maps have one shape, and values stay."""
        a, b = around.sources
        if a.shape != b.shape:
            yield f"{self.name} inputs", "of one shape", f"{a.shape} and {b.shape}"
        for source in around.sources:
            yield from same_values_complaints(self.name, source, self.output)
            yield from same_channels_complaints(self.name, source, self.output)
