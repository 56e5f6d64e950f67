"""SRAM cells by the voltage of their supply, as they were measured, in a file of effects.

Between two points the logarithm of the share of flipped cells is on a line; above the highest
measured voltage no cell flips, below the lowest nothing is known. Dynamic energy of what stands at
the supply falls with the square of its voltage.

Tests: `tests/chip/test_supply.py`.
"""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import FieldError
from hwgen.files.load import EXACT

Volts = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
Flipped = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class FlipPoint:
    """The share of the cells that read as the other bit at a voltage."""

    volts: Volts
    flipped: Flipped


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SupplyTable:
    """Cells at a voltage.

    volts: at which the cells stand now
    nominal_volts: of the technology, where no cell flips
    flips: what was measured, by rising voltage; fewer cells flip at each next one
    """

    volts: Volts
    nominal_volts: Volts
    flips: Annotated[Sequence[FlipPoint], Field(min_length=2, max_length=4096)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        volts = [point.volts for point in self.flips]
        shares = [point.flipped for point in self.flips]
        if sorted(set(volts)) != volts:
            raise FieldError("supply.flips.volts", "rising", volts)
        if sorted(set(shares), reverse=True) != shares:
            raise FieldError("supply.flips.flipped", "falling with rising voltage", shares)
        if volts[-1] > self.nominal_volts:
            allowed = f"at most nominal_volts, {self.nominal_volts:g}"
            raise FieldError("supply.flips.volts", allowed, f"{volts[-1]:g}")
        if not volts[0] <= self.volts <= self.nominal_volts:
            allowed = f"from {volts[0]:g}, the lowest measured, to {self.nominal_volts:g}, nominal"
            raise FieldError("supply.volts", allowed, f"{self.volts:g}")
        return self

    @property
    def flipped(self) -> float:
        """Share of the cells that read as the other bit, from 0 to 1."""
        if self.volts > self.flips[-1].volts:
            return 0.0
        volts = [point.volts for point in self.flips]
        logarithms = np.log([point.flipped for point in self.flips])
        return float(np.exp(np.interp(self.volts, volts, logarithms)))

    @property
    def energy(self) -> float:
        """Dynamic energy of an access, as a share of that at the nominal voltage."""
        return (self.volts / self.nominal_volts) ** 2
