"""One combination of the outer loop: what is the same in a whole accelerator (seed 003, Alg. 1)."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from typing import Annotated, Any, Literal, Protocol, Self, get_args

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.rules import Rules
from hwgen.errors import FieldError
from hwgen.files.load import EXACT, field_error

Cells = Literal["offset", "differential"]
"""How a weight stands in cells: with an offset in one column, or as the difference of two."""
CELLS: tuple[Cells, ...] = get_args(Cells)
MOST_STEP = 256
"""Of the sums that a code counts at most."""


class HasBits(Protocol):
    """Components, or an architecture: both say how wide data are."""

    @property
    def weight_bits(self) -> int: ...
    @property
    def activation_bits(self) -> int: ...


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Point:
    """RatioRram, ResRram, XbSize and ResDAC.

    rram_ratio: share of the power budget that belongs to crossbars; None: not split in advance, as
        under strict rules, where it follows from the design
    cell_bits: bits of a weight in one cell
    side: rows, and columns, of a crossbar
    dac_bits: bits of an input that one bit step feeds
    cells: offset: a column is a cell slice of weights with an offset, some are flipped;
        differential: two columns are one of signed weights, and converters take their difference
    """

    rram_ratio: Annotated[float, Field(gt=0, lt=1)] | None
    cell_bits: Annotated[int, Field(ge=1)]
    side: Annotated[int, Field(ge=2)]
    dac_bits: Annotated[int, Field(ge=1)]
    cells: Cells = "offset"

    @property
    def pairs(self) -> bool:
        """Whether a column of weights is a pair of columns of cells."""
        return self.cells == "differential"

    @property
    def adc_bits(self) -> int:
        """The resolution of its ADCs."""
        return self.lossless_bits

    @property
    def lossless_bits(self) -> int:
        """The least resolution that loses nothing of any weights.

        With an offset, ISAAC's encoding. The difference of a pair may be that of a whole column of
        full cells, of both signs, where a flipped column has half of it of one: two bits more.
        """
        both = self.dac_bits > 1 and self.cell_bits > 1
        bits = int(math.log2(self.side)) + self.dac_bits + self.cell_bits - (1 if both else 2)
        return bits + 2 * self.pairs

    @property
    def step_bits(self) -> int:
        """A code of its ADCs counts 2^step_bits of the least sum above zero."""
        return 0

    def slices(self, data: HasBits) -> int:
        """Return how many cells hold one weight."""
        return -(-data.weight_bits // self.cell_bits)

    def bit_steps(self, data: HasBits) -> int:
        """Return how many bit steps feed one input."""
        return -(-data.activation_bits // self.dac_bits)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Clipped(Point):
    """A point whose ADCs have fewer bits than lose nothing: a larger sum gives the last code.

    bits_less: bits below `lossless_bits`
    """

    bits_less: Annotated[int, Field(ge=1)]

    @property
    def adc_bits(self) -> int:
        """The resolution of its ADCs."""
        return self.lossless_bits - self.bits_less


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Stepped(Clipped):
    """A point whose ADCs have a coarser step, and so a wider range than clipping alone leaves.

    step: sums that a code counts, a power of two
    """

    step: Annotated[int, Field(ge=2, le=MOST_STEP)]

    @model_validator(mode="after")
    def _check_step(self) -> Self:
        if self.step & (self.step - 1) or self.step_bits > self.bits_less:
            most = min(MOST_STEP, 2**self.bits_less)
            allowed = f"a power of two from 2 to {most}, the range of converters that lose nothing"
            raise FieldError("step", allowed, self.step)
        return self

    @property
    def step_bits(self) -> int:
        """A code of its ADCs counts 2^step_bits of the least sum above zero."""
        return self.step.bit_length() - 1


def point_of(given: dict[str, Any]) -> Point:
    """Return the point of some keys; pydantic's ValidationError for wrong ones."""
    if "step" in given:
        return Stepped(**given)
    return Clipped(**given) if "bits_less" in given else Point(**given)


def _read(given: object) -> object:
    """Return the point of a mapping that has bits less or a step; anything else as it is."""
    if not isinstance(given, dict) or not {"bits_less", "step"} & given.keys():
        return given
    try:
        return point_of(given)
    except ValidationError as error:
        raise field_error(error) from None


POINT_DEFAULTS: dict[str, Any] = {"cells": "offset"}
"""What stands in files and digests only where it is different."""

AnyPoint = Annotated[Point, BeforeValidator(_read)]
"""A point of a file, `Clipped` or `Stepped` if it says so."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class WithCells(Components):
    """Components with the kinds of cells of which a search tries points; no file has them."""

    cells: tuple[Cells, ...]

    @property
    def digest(self) -> str:
        """That of the components: what is tried is no constant."""
        return Components(**_constants(self)).digest


def with_cells(components: Components, cells: Iterable[Cells]) -> WithCells:
    """Return components of which points of some kinds of cells are tried, in this order."""
    return WithCells(**_constants(components), cells=tuple(cells))


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Narrowed(Components):
    """Components of which a search tries some points alone, clipped ones, too; no file has them."""

    tried: tuple[AnyPoint, ...]

    @property
    def digest(self) -> str:
        """That of the components: what is tried is no constant."""
        return Components(**_constants(self)).digest


def narrowed(components: Components, tried: Iterable[Point]) -> Narrowed:
    """Return components of which some points alone are tried."""
    return Narrowed(**_constants(components), tried=tuple(tried))


def _constants(components: Components) -> dict[str, Any]:
    return {each.name: getattr(components, each.name) for each in fields(Components)}


RRAM_RATIOS = (0.15, 0.2, 0.25, 0.3)
"""The ratios that the published tool traverses."""


def points(
    components: Components, rules: Rules, ratios: tuple[float, ...] = RRAM_RATIOS
) -> list[Point]:
    """Return every combination whose ADC can be had, in the published order.

    Strict rules need no ratio: what crossbars leave of the budget is there for all others.
    Of narrowed components those that are tried.
    """
    if isinstance(components, Narrowed):
        return list(components.tried)
    return with_known_adcs(combinations(components, rules, ratios), components)


def combinations(
    components: Components, rules: Rules, ratios: tuple[float, ...] = RRAM_RATIOS
) -> list[Point]:
    """Return every combination, lossless, in the published order; cells differ last of all."""
    tried: tuple[Cells, ...] = ("offset",)
    if isinstance(components, WithCells):
        tried = components.cells
    return [
        Point(rram_ratio=ratio, cell_bits=cell, side=size.side, dac_bits=dac.bits, cells=cells)
        for cells in tried
        for ratio in ((None,) if rules.whole_parts else ratios)
        for cell in components.crossbars.cell_bits
        for size in components.crossbars.sizes
        for dac in components.dacs.resolutions
    ]


def clipped(given: Iterable[Point], bits_less: int) -> Iterator[Point]:
    """Yield points with ADCs of so many bits less, of at least one bit; 0: as they are."""
    for point in given:
        if not bits_less:
            yield point
        elif point.lossless_bits > bits_less:
            yield Clipped(**asdict(point), bits_less=bits_less)


def stepped(point: Point) -> list[Point]:
    """Return a point, and with it those whose ADCs have as many bits and a coarser step.

    The widest range is that of converters that lose nothing.
    """
    less = point.lossless_bits - point.adc_bits
    steps = [1 << bits for bits in range(1, 1 + min(less, MOST_STEP.bit_length() - 1))]
    return [point, *(Stepped(**asdict(point), step=step) for step in steps)]


def with_known_adcs(given: Iterable[Point], components: Components) -> list[Point]:
    """Return the points whose ADC can be had."""
    known = {adc.bits for adc in components.adcs.resolutions}
    return [point for point in given if point.adc_bits in known]
