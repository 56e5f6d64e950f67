"""A map with another scale and zero point."""

from collections.abc import Iterator
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import Requantized, Surroundings
from hwgen.network.maps import Complaint, same_channels_complaints


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Rescale(Requantized):
    """clip(round((x - zx) * M, s) + zero point); may change the bits."""

    op: Literal["rescale"]

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that each mode has a multiplier."""
        yield from self.factor_complaints(around)
        yield from same_channels_complaints(self.name, around.sources[0], self.output)
