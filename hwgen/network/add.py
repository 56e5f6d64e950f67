"""Sum of two maps."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from hwgen.network.layer import (
    LayerBase,
    Requantization,
    Surroundings,
    requantization_complaints,
)
from hwgen.network.maps import STRICT, Complaint, same_channels_complaints


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Add(LayerBase):
    """clip(round((a - za) * Ma + (b - zb) * Mb, s) + zero point), one shift and one rounding."""

    op: Literal["add"]
    requantization: tuple[Requantization, ...]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, 2)

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that both maps have one shape in every mode."""
        a, b = around.sources
        if a.shape != b.shape:
            yield f"{self.name} inputs", "of one shape", f"{a.shape} and {b.shape}"
        elif a.mode_channels != b.mode_channels:
            given = f"{list(a.mode_channels)} and {list(b.mode_channels)}"
            yield f"{self.name} inputs", "of equal mode_channels", given
        yield from requantization_complaints(
            self.name, self.requantization, modes=around.modes, count=2
        )
        yield from same_channels_complaints(self.name, a, self.output)
