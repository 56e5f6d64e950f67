"""Cells as they were measured: mean, deviation and drift of each level, in a file of effects.

A table says what becomes of a cell that is to hold a share of the highest level. It stands in place
of `cells.variation` and `cells.drift`, one formula for all levels. With N a normal draw of a cell:

    written   g = mean + deviation N, at least 0, drawn anew while it is farther than `within` from
              mean, `rounds` times at most; the last draw stays
    at time   g (time_s / first_read_s) ^ -(drift + drift_deviation N)
    lost      a share 1 - exp(-time_s / retention_s) of the cells holds the lowest level, as one
              that is written now

Between two points of a table all four are on a line.

Tests: `tests/chip/test_device_levels.py`, `tests/golden/crossbar/test_levels.py`.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import FieldError
from hwgen.files.load import EXACT

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
OfFull = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
Exponent = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]

NUMBERS = ("mean", "deviation", "drift", "drift_deviation")
"""What a table says of a level."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LevelPoint:
    """What becomes of a cell that is to hold a level.

    level: share of the highest level
    mean, deviation: of the conductance at the first read, shares of the highest level
    drift: mean exponent of the time by which conductance falls; below 0: it rises
    drift_deviation: of the exponents of cells
    """

    level: Share
    mean: OfFull
    deviation: OfFull
    drift: Exponent
    drift_deviation: Share


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LevelTable:
    """A device by level.

    first_read_s: seconds from writing to the read for which mean and deviation stand
    time_s: seconds from writing to the use of the chip, not before the first read
    rounds: times that a cell is written at most
    within: farthest from the mean of its level that a write is good, a share of the highest level
    retention_s: mean seconds until a cell loses its level; 0: it does not
    points: of levels that rise, from 0 to 1
    """

    first_read_s: Seconds
    time_s: Seconds
    rounds: Annotated[int, Field(ge=1, le=100)]
    within: OfFull
    retention_s: Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]
    points: Annotated[Sequence[LevelPoint], Field(min_length=2, max_length=256)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        levels = [point.level for point in self.points]
        if levels[0] != 0 or levels[-1] != 1 or sorted(set(levels)) != levels:
            allowed = "rising, the first 0 and the last 1"
            raise FieldError("levels.points.level", allowed, levels)
        if self.time_s < self.first_read_s:
            allowed = f"at least first_read_s, {self.first_read_s:g}"
            raise FieldError("levels.time_s", allowed, f"{self.time_s:g}")
        return self

    @property
    def aging(self) -> float:
        """The logarithm of the time over that of the first read."""
        return math.log(self.time_s / self.first_read_s)

    @property
    def lost(self) -> float:
        """The share of the cells that have lost their level."""
        return -math.expm1(-self.time_s / self.retention_s) if self.retention_s else 0.0
