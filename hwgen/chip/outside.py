"""Energy of the memory outside a chip: one constant for all families, with its source and range.

Tests: `tests/chip/test_outside.py`.
"""

from dataclasses import asdict
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.chip.figures import Positive
from hwgen.errors import FieldError
from hwgen.files.digests import digest_of
from hwgen.files.load import EXACT, load_spec
from hwgen.files.shipped import shipped_folder

Text = Annotated[str, Field(min_length=1)]

FILE = shipped_folder() / "energy" / "memory_outside.yaml"
"""The memory that counts where a table has none of its own."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Port:
    """Energy of the memory behind the port, in pJ for some bits.

    low_pj, high_pj: what other memories take; None: `pj`
    """

    pj: Positive
    bits: Annotated[int, Field(ge=1)]
    low_pj: Positive | None = None
    high_pj: Positive | None = None
    source: Text

    @model_validator(mode="after")
    def check(self) -> Self:
        """Hold the typical pJ between the least and the most."""
        low, _, high = self.range_pj
        if not low <= self.pj <= high:
            raise FieldError("pj", f"from low_pj {low} to high_pj {high}", self.pj)
        return self

    @property
    def range_pj(self) -> tuple[float, float, float]:
        """The least, the typical and the most pJ."""
        return self.low_pj or self.pj, self.pj, self.high_pj or self.pj

    def of(self, size: float) -> tuple[float, float, float]:
        """Return the least, the typical and the most pJ of so many bytes."""
        low, pj, high = (8 * size * each / self.bits for each in self.range_pj)
        return low, pj, high


@dataclass(frozen=True, kw_only=True, config=EXACT)
class OutsideMemory(Port):
    """The file of a memory; its digest covers everything that it gives."""

    format: Literal["hwgen.memory_outside"]
    version: Literal[1]
    name: Text

    @property
    def digest(self) -> str:
        """sha256, 64 hex digits."""
        return digest_of(asdict(self))


@cache
def outside_memory() -> OutsideMemory:
    """Return the memory that ships."""
    return load_spec(OutsideMemory, FILE)
