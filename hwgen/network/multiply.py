"""Product of two maps, or of a map and one factor a channel."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import Requantized, Surroundings
from hwgen.network.maps import Complaint, same_channels_complaints


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Multiply(Requantized):
    """clip(round((a - za) * (b - zb) * M, s) + zero point); b may be 1 x 1 x C."""

    op: Literal["multiply"]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, 2)

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that the second map is as large as the first or has one value a channel."""
        a, b = around.sources
        if b.shape not in (a.shape, (1, 1, a.channels)):
            allowed = f"of one shape, or the second (1, 1, {a.channels})"
            yield f"{self.name} inputs", allowed, f"{a.shape} and {b.shape}"
        elif a.mode_channels != b.mode_channels:
            given = f"{list(a.mode_channels)} and {list(b.mode_channels)}"
            yield f"{self.name} inputs", "of equal mode_channels", given
        yield from self.factor_complaints(around)
        yield from same_channels_complaints(self.name, a, self.output)
