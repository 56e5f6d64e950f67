"""What a chip follows from: a network, where its layers stand, its parts, and its rings."""

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

from hwgen.crossbar.facts.arch_fabric import Constants, Link
from hwgen.crossbar.facts.columns import partial_sum_bits
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.holdings import Cut, Holding, cut_of, holdings_of
from hwgen.crossbar.facts.layout import Floorplan, route
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.ports import shares_of

LAG_CLOCKS = 24
"""Clocks that the engines of a layer work behind each other, all together."""


@dataclass(frozen=True, kw_only=True)
class ChipPlan:
    """What the fabric follows from, under strict rules.

    step_ns, clock_ns: of a step, which is of whole clocks, and of a clock
    clocks_per_bit: steps of a bit step, by layer
    bus_bits: of a word of a scratchpad
    """

    network: CrossbarNetwork
    plan: Floorplan
    point: Point
    weight_bits: int
    activation_bits: int
    step_ns: float
    clock_ns: float
    clocks_per_bit: tuple[int, ...]
    constants: Constants
    bus_bits: int

    @property
    def step_clocks(self) -> int:
        """Clocks of a step, whole."""
        return self.clocks(self.step_ns)

    @property
    def access_clocks(self) -> int:
        """Clocks of an access to a scratchpad, whole."""
        return max(1, math.ceil(self.constants.scratchpad.latency_ns / self.clock_ns))

    @property
    def access_ns(self) -> float:
        """How long an access to a scratchpad takes."""
        return self.access_clocks * self.clock_ns

    @property
    def lag_ns(self) -> float:
        """How long the engines of a layer work behind each other, all together."""
        return LAG_CLOCKS * self.clock_ns

    def clocks(self, ns: float) -> int:
        """Return the whole clocks of some time."""
        return math.ceil(ns / self.clock_ns - 1e-9)

    @property
    def slices(self) -> int:
        """Cells that hold one weight."""
        return -(-self.weight_bits // self.point.cell_bits)

    @property
    def bit_steps(self) -> int:
        """Bit steps that feed one input."""
        return -(-self.activation_bits // self.point.dac_bits)

    def node(self, macro: int) -> int:
        """Return the node of a macro."""
        return self.plan.node(macro)

    def readers(self, place: int | None) -> list[int]:
        """Return the layers that read a layer; None: the image."""
        if place is None:
            return [i for i, layer in enumerate(self.network.layers) if not layer.providers]
        return [i for i, layer in enumerate(self.network.layers) if place in layer.providers]

    def reader_macros(self, place: int) -> set[int]:
        """Return the macros in which the readers of a layer are."""
        return {macro for i in self.readers(place) for macro in self.plan.layers[i].macros}

    def is_remote(self, provider: int, reader: int) -> bool:
        """Return whether blocks of a provider are sent to a reader: it is not there alone."""
        only = {self.plan.layers[provider].merge_macro}
        return set(self.plan.layers[reader].macros) != only

    def cut(self, place: int) -> Cut:
        """Return how the weights of a layer are cut."""
        layer, point = self.network.layers[place], self.point
        return cut_of(layer, point.side, self.slices, pairs=point.pairs)

    def holdings(self, place: int) -> list[Holding]:
        """Return what each macro of a layer with weights holds."""
        placed = self.plan.layers[place]
        return holdings_of(self.cut(place), placed.copies, placed.macros)

    def results(self, place: int) -> dict[int, int]:
        """Return the macros in which results of a layer become whole, and of how many copies."""
        placed = self.plan.layers[place]
        if not self.network.layers[place].has_weights:
            return {placed.merge_macro: placed.copies}
        tiles = self.cut(place).row_tiles
        return {
            one.macro: len(one.copies)
            for one in self.holdings(place)
            if one.row_tiles.stop == tiles
        }

    def is_chained(self, place: int) -> bool:
        """Return whether partial sums of a copy travel from macro to macro."""
        placed = self.plan.layers[place]
        return self.network.layers[place].has_weights and len(placed.macros) > placed.copies

    def output_bits(self, place: int) -> int:
        """Return the bits of an element of the results of a layer."""
        return self.network.layers[place].raw_bits or self.activation_bits

    def sum_bits(self, place: int) -> int:
        """Return the bits in which sums over the row tiles of a layer travel and are added."""
        rows = self.cut(place).group_rows
        return partial_sum_bits(rows, self.weight_bits, self.activation_bits)

    def flits(self, bits: int) -> int:
        """Return the flits of some bits, without a header."""
        return -(-bits // self.constants.network_on_chip.flit_bits)

    def route(self, source: int, target: int) -> list[Link]:
        """Return the links from one node to another."""
        return route(self.plan.mesh_columns, source, target)

    def hops(self, source: int, target: int) -> int:
        """Return the links between two nodes."""
        return len(self.route(source, target))


def constants_of(components: Components, point: Point, kilobytes: int) -> Constants:
    """Return the constants of the parts of a chip; kilobytes: of a scratchpad."""
    pads = components.scratchpads.capacities
    return Constants(
        crossbar=next(one for one in components.crossbars.sizes if one.side == point.side),
        crossbar_latency_ns=components.crossbars.latency_ns,
        adc=next(one for one in components.adcs.resolutions if one.bits == point.adc_bits),
        dac=next(one for one in components.dacs.resolutions if one.bits == point.dac_bits),
        vector_units=components.vector_units,
        scratchpad=next(one for one in pads if one.kilobytes == kilobytes),
        network_on_chip=components.network_on_chip,
        step_floor_ns=components.step_floor_ns,
    )


class Ring(NamedTuple):
    """A region but for its place and size, see `hwgen.crossbar.facts.arch_fabric.Region`."""

    macro: int
    kind: Literal["input", "output"]
    layer: int
    provider: int | None
    first_channel: int
    pixel_channels: int
    bits: int


def rings_of(chip: ChipPlan) -> list[Ring]:
    """Return all rings, macro after macro, in each layer after layer, inputs before outputs."""
    return [
        ring._replace(macro=macro)
        for macro in range(chip.plan.macros)
        for place, placed in enumerate(chip.plan.layers)
        for ring in [
            *(inputs_of(chip, place) if macro in placed.macros else ()),
            *([output_of(chip, place)] if macro == placed.merge_macro else ()),
        ]
    ]


def inputs_of(chip: ChipPlan, place: int) -> list[Ring]:
    """Return the rings of what is sent to a layer; what it reads in place has none."""
    layer = chip.network.layers[place]
    if not layer.providers:
        return [Ring(0, "input", place, None, 0, layer.in_channels, chip.activation_bits)]
    shares = shares_of(chip.network, place)
    firsts = accumulate((0, *shares[:-1])) if layer.kind != "eltwise" else [0]
    first_channels = dict(zip(layer.providers, firsts, strict=False))
    return [
        Ring(
            0,
            "input",
            place,
            provider,
            first_channels.get(provider, 0),
            chip.network.layers[provider].out_channels,
            chip.activation_bits,
        )
        for provider in layer.providers
        if chip.is_remote(provider, place)
    ]


def output_of(chip: ChipPlan, place: int) -> Ring:
    """Return the ring of results of a layer."""
    channels = chip.network.layers[place].out_channels
    return Ring(0, "output", place, place, 0, channels, chip.output_bits(place))
