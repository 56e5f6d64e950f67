"""Mean over a window."""

from collections.abc import Iterator
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.network.layer import Requantization, Surroundings, requantization_complaints
from hwgen.network.maps import STRICT, Complaint
from hwgen.network.pool import Pool


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AveragePool(Pool):
    """clip(round(sum of (x - zero point) * M, s) + zero point); 1 / n is part of M.

    The divisor is the whole window; padding counts as a real zero.
    """

    op: Literal["average_pool"]
    requantization: tuple[Requantization, ...]

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check the window, and that each mode has a multiplier."""
        yield from Pool.complaints(self, around)
        yield from requantization_complaints(self.name, self.requantization, modes=around.modes)
