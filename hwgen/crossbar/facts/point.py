"""One combination of the outer loop: what is the same in a whole accelerator (seed 003, Alg. 1)."""

import math
from typing import Annotated, Protocol

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.rules import Rules
from hwgen.files.load import EXACT


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
    """

    rram_ratio: Annotated[float, Field(gt=0, lt=1)] | None
    cell_bits: Annotated[int, Field(ge=1)]
    side: Annotated[int, Field(ge=2)]
    dac_bits: Annotated[int, Field(ge=1)]

    @property
    def adc_bits(self) -> int:
        """The least resolution that loses nothing, with ISAAC's encoding of weights."""
        both = self.dac_bits > 1 and self.cell_bits > 1
        return int(math.log2(self.side)) + self.dac_bits + self.cell_bits - (1 if both else 2)

    def slices(self, data: HasBits) -> int:
        """Return how many cells hold one weight."""
        return -(-data.weight_bits // self.cell_bits)

    def bit_steps(self, data: HasBits) -> int:
        """Return how many bit steps feed one input."""
        return -(-data.activation_bits // self.dac_bits)


RRAM_RATIOS = (0.15, 0.2, 0.25, 0.3)
"""The ratios that the published tool traverses."""


def points(
    components: Components, rules: Rules, ratios: tuple[float, ...] = RRAM_RATIOS
) -> list[Point]:
    """Return every combination whose ADC can be had, in the published order.

    Strict rules need no ratio: what crossbars leave of the budget is there for all others.
    """
    known = {adc.bits for adc in components.adcs.resolutions}
    every = [
        Point(rram_ratio=ratio, cell_bits=cell, side=size.side, dac_bits=dac.bits)
        for ratio in ((None,) if rules.whole_parts else ratios)
        for cell in components.crossbars.cell_bits
        for size in components.crossbars.sizes
        for dac in components.dacs.resolutions
    ]
    return [point for point in every if point.adc_bits in known]
