"""What all steps of a walk share: the chip, the stream, and the strobes of its schedule.

Tests: `tests/verif/reference/crossbar/test_walk.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from hwgen.crossbar.facts.arch_fabric import Held, Region
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.timing import LAGS
from verif.reference.crossbar.walk.hazards import NEVER, Findings, Ints, Where
from verif.reference.crossbar.walk.rates import RATES, Rates

Key = tuple[int, str]
"""A layer, and the name of one of its operations."""

Starts = Mapping[Key, Ints]
"""The step at which each block of a stream starts an operation."""


@dataclass
class Stage:
    """A chip at work on a stream.

    starts: of all blocks of all images; images: of the stream
    delays: clocks by which an operation begins later than its part does, for planted faults
    """

    chip: Chip
    starts: Starts
    images: int
    rates: Rates = RATES
    delays: Mapping[Key, int] = field(default_factory=dict)
    found: Findings = field(default_factory=Findings)

    def go(self, place: int, name: str) -> Ints:
        """Return the clock of the strobe of each block."""
        late = LAGS[name] + self.delays.get((place, name), 0)
        return np.asarray(self.starts[place, name], np.int64) * self.chip.step_clocks + late

    def bits(self, place: int, name: str) -> Ints:
        """Return the clock of the strobe of each bit step, shape (blocks, bit steps)."""
        layer = self.chip.layers[place]
        own = next(one for one in layer.operations if one.name == name)
        apart = np.arange(own.bit_steps) * own.steps * self.chip.step_clocks
        return self.go(place, name)[:, np.newaxis] + apart

    def has(self, place: int, name: str) -> bool:
        """Return whether a layer has an operation."""
        return (place, name) in self.starts

    def where(self, place: int, operation: str, macro: int) -> Where:
        """Return whose starts they are."""
        layer = self.chip.layers[place]
        return Where(layer.layer.name, operation, macro, layer.blocks)

    def pixels(self, place: int) -> Ints:
        """Return the pixels of each block of the stream."""
        layer = self.chip.layers[place]
        left = layer.layer.pixels - np.arange(layer.blocks) * layer.copies
        return np.tile(left.clip(0, layer.copies), self.images)

    def copies(self, layer: ChipLayer, held: Held) -> Ints:
        """Return how many of the copies in a macro have a pixel in each block of the stream."""
        first, behind = held.copies
        found: Ints = np.maximum(0, np.minimum(self.pixels(layer.place), behind) - first)
        return found

    def blocks(self, place: int) -> Ints:
        """Return the numbers of the blocks of the stream."""
        return np.arange(self.chip.layers[place].blocks * self.images)

    @cached_property
    def adc(self) -> Fraction:
        """Samples of an ADC in a clock."""
        return Fraction(self.chip.adc_samples, self.chip.adc_clocks)

    def each(self, place: int) -> int:
        """Return the elements of a word that one result takes."""
        return -(-self.chip.layers[place].output_bits // self.chip.activation_bits)

    def flits(self, elements: Ints) -> Ints:
        """Return the flits of some elements, without a header."""
        return -(-elements // self.chip.flit_elements)

    def hops(self, links: tuple[tuple[int, int], ...], source: int) -> dict[int, int]:
        """Return how far each node of a tree of links is from the source."""
        depth = {source: 0}
        for here, there in links:
            depth[there] = depth[here] + 1
        return depth

    def node(self, macro: int) -> int:
        """Return the node of a macro."""
        return self.chip.macros[macro].node

    def ring_of(self, macro: int, place: int, provider: int | None) -> Region:
        """Return the ring in which a layer reads a map: its own, or that of the provider."""
        here = [one for one in self.chip.regions if one.macro == macro]
        for one in here:
            if one.kind == "input" and (one.layer, one.provider) == (place, provider):
                return one
        return self.output_of(macro, -1 if provider is None else provider)

    def output_of(self, macro: int, place: int) -> Region:
        """Return the ring that a layer writes."""
        return next(
            one
            for one in self.chip.regions
            if (one.macro, one.kind, one.layer) == (macro, "output", place)
        )

    def name_of(self, place: int | None) -> str:
        """Return what a map is called."""
        return "the image" if place is None else self.chip.layers[place].layer.name


def two_behind(clocks: Ints) -> Ints:
    """Return what the block behind the next one has, which takes the same bank; else never."""
    return behind(clocks, 2)


def behind(clocks: Ints, blocks: int) -> Ints:
    """Return what the block so many behind has; else never."""
    gone = np.full_like(clocks, NEVER)
    gone[:-blocks] = clocks[blocks:]
    return gone
