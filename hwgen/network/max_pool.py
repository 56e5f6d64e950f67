"""Maximum over a window."""

from collections.abc import Iterator
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import Surroundings
from hwgen.network.maps import Complaint, same_values_complaints
from hwgen.network.pool import Pool


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MaxPool(Pool):
    """Largest integer of a window; padding never wins."""

    op: Literal["max_pool"]

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check the window, and that scale, zero point, bits and range stay."""
        yield from Pool.complaints(self, around)
        yield from same_values_complaints(self.name, around.sources[0], self.output)
