"""A map with another scale and zero point."""

from collections.abc import Iterator
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.network.layer import (
    LayerBase,
    Requantization,
    Surroundings,
    requantization_complaints,
)
from hwgen.network.maps import STRICT, Complaint, same_channels_complaints


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rescale(LayerBase):
    """clip(round((x - zx) * M, s) + zero point); may change the bits."""

    op: Literal["rescale"]
    requantization: tuple[Requantization, ...]

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that each mode has a multiplier."""
        yield from requantization_complaints(self.name, self.requantization, modes=around.modes)
        yield from same_channels_complaints(self.name, around.sources[0], self.output)
