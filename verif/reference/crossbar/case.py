"""What is to be judged: a network on an accelerator, with the dataflow that was compiled for it.

Tests: `tests/crossbar/model/test_by_hand.py`.
"""

import math
from dataclasses import dataclass
from functools import cached_property

from golden.crossbar.ir import Dataflow
from golden.crossbar.results import result_macros
from hwgen.crossbar.facts.chip_plan import ChipPlan, constants_of
from hwgen.crossbar.facts.components import (
    Adc,
    Components,
    CrossbarSize,
    Dac,
    Scratchpad,
    VectorUnit,
)
from hwgen.crossbar.facts.holdings import Cut, cut_of, holdings_of, rows_in
from hwgen.crossbar.facts.layout import Choice, Floorplan, floorplan, is_activated
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import Rules

DIGITAL = ("shift_add", "addition", "relu", "sigmoid", "pool", "eltwise")
PER_BIT = ("dac", "adc", "shift_add")
"""Parts that work in each bit step; the others work once a computation block."""

FC_CUT = 100
"""The published code divides the work of fully connected layers by this, and cuts it there too."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A design and the rules by which it is judged.

    power_w: budget of the whole chip
    dataflow: compiled from the same network, components, point, rules and choice
    """

    network: CrossbarNetwork
    components: Components
    point: Point
    power_w: float
    rules: Rules
    choice: Choice
    dataflow: Dataflow

    @cached_property
    def plan(self) -> Floorplan:
        """Where every layer stands."""
        return floorplan(self.network, self.components, self.point, self.rules, self.choice)

    @property
    def bits(self) -> int:
        """B, bit steps of an input."""
        return self.point.bit_steps(self.components)

    @property
    def slices(self) -> int:
        """S, cells of a weight."""
        return self.point.slices(self.components)

    @property
    def crossbar(self) -> CrossbarSize:
        """The crossbar in use."""
        sizes = self.components.crossbars.sizes
        return next(size for size in sizes if size.side == self.point.side)

    def part(self, name: str) -> Adc | Dac | VectorUnit:
        """Return the constants of a component."""
        if name == "dac":
            dacs = self.components.dacs.resolutions
            return next(dac for dac in dacs if dac.bits == self.point.dac_bits)
        if name == "adc":
            adcs = self.components.adcs.resolutions
            return next(adc for adc in adcs if adc.bits == self.point.adc_bits)
        unit: VectorUnit = getattr(self.components.vector_units, name)
        return unit

    def rate(self, name: str) -> float:
        """Return the operations of one component in a ns; a DAC is not limited by its own."""
        part = self.part(name)
        if isinstance(part, Adc):
            return part.samples_per_ns
        return part.operations_per_ns if isinstance(part, VectorUnit) else 1.0

    def peak_w(self, part: Adc | Dac | VectorUnit | CrossbarSize) -> float:
        """Return what a budget must hold for one part."""
        if self.rules.static_plus_dynamic:
            return max(part.peak_w, part.static_w + part.dynamic_w)
        return part.peak_w

    def accesses(self, elements: float) -> int:
        """Return how often the bus of a scratchpad is used for so many elements."""
        bits = elements * self.components.activation_bits
        return int(-(-bits // self.components.scratchpads.bus_bits))

    def memories(self) -> tuple[Scratchpad, ...]:
        """Return the scratchpads to choose from, smallest first."""
        return self.components.scratchpads.to_choose_from(published=not self.rules.one_port)

    def chip(self, memory: Scratchpad, step_ns: float) -> ChipPlan:
        """Return the chip that strict rules judge, with scratchpads of one capacity."""
        return ChipPlan(
            network=self.network,
            plan=self.plan,
            point=self.point,
            weight_bits=self.components.weight_bits,
            activation_bits=self.components.activation_bits,
            step_ns=step_ns,
            clock_ns=self.components.clock_ns,
            clocks_per_bit=self.choice.clocks,
            constants=constants_of(self.components, self.point, memory.kilobytes),
            bus_bits=self.components.scratchpads.bus_bits,
        )

    def reads_image(self, place: int) -> bool:
        """Return whether a layer reads the image, and that comes over the mesh."""
        return self.rules.image_travels and not self.network.layers[place].providers

    def cut(self, place: int) -> Cut:
        """How one copy of a layer's weights is cut into crossbars."""
        layer = self.network.layers[place]
        dense, point = not self.rules.used_columns, self.point
        return cut_of(layer, point.side, self.slices, dense=dense, pairs=point.pairs)

    def results(self, place: int) -> dict[int, int]:
        """Return the macros in which sums of a layer are whole, and of how many copies."""
        layer, placed = self.network.layers[place], self.plan.layers[place]
        return result_macros(layer, placed, self.point, self.slices, self.rules)

    def access_ns(self, memory: Scratchpad) -> float:
        """Return how long an access takes, by some rules whole clocks."""
        if not self.rules.whole_clocks:
            return memory.latency_ns
        clock_ns = self.components.clock_ns
        return -(-memory.latency_ns // clock_ns) * clock_ns

    def works(self, place: int) -> list[dict[str, float]]:
        """Return the operations of each macro of a layer in one bit step (or block), by component.

        By published rules all macros are one. DACs, one for each row, belong to the first.
        """
        layer, placed = self.network.layers[place], self.plan.layers[place]
        if not (self.rules.whole_parts and layer.has_weights):
            return [self.work(place)]
        lanes, cut = self.components.vector_units.lanes, self.cut(place)
        vectors = -(-layer.out_channels // lanes)
        found: list[dict[str, float]] = []
        for one in holdings_of(cut, placed.copies, placed.macros):
            sums = one.tiles * self.slices
            work: dict[str, float] = {"adc": sums * layer.out_channels}
            work["shift_add"] = work["addition"] = sums * cut.lane_groups(lanes)
            if not self.point.pairs:
                work["addition"] += one.tiles * cut.sections * -(-cut.side // lanes)
            if self.rules.chain_before_activation and placed.chain_macros > 1:
                work["addition"] += vectors
            if one.row_tiles.stop == cut.row_tiles and self.activation(place):
                work[self.activation(place)] = len(one.copies) * vectors
            found.append(work)
        found[0]["dac"] = self.work(place)["dac"]
        return found

    def activation(self, place: int) -> str:
        """Return the component that activates, or requantizes, the outputs; '': none."""
        layer = self.network.layers[place]
        if not is_activated(self.network, layer, self.rules):
            return ""
        return "relu" if layer.activation == "none" else layer.activation

    def work(self, place: int) -> dict[str, float]:
        """Return the operations of a layer in one bit step (or block), by component.

        Sheet of seed 003, section 3. Strict rules add what the published code leaves out: channels
        of additions, pixels of a pooling window, all but one of the maps that are added up, and
        fully connected layers as a whole. A product of two elements is as many additions as an
        element has bits (shift and add).
        """
        layer, placed = self.network.layers[place], self.plan.layers[place]
        lanes = self.components.vector_units.lanes
        vectors = layer.out_channels / lanes
        if self.rules.used_columns:
            vectors = math.ceil(vectors)
        outputs = placed.copies * vectors
        work: dict[str, float] = {}
        if layer.has_weights:
            columns = placed.copies * placed.crossbars * self.point.side
            sums = placed.copies * placed.row_tiles * self.slices
            work["dac"] = placed.copies * placed.rows * placed.column_tiles * self.slices
            work["adc"] = columns
            work["shift_add"] = columns / lanes
            work["addition"] = sums / lanes
            if self.rules.used_columns:
                held = holdings_of(self.cut(place), placed.copies, placed.macros)
                work["dac"] = sum(rows_in(self.cut(place), one) for one in held)
                work["adc"] = sums * layer.out_channels
                work["shift_add"] = work["addition"] = sums * self.cut(place).lane_groups(lanes)
                units = placed.copies * placed.row_tiles * self.cut(place).sections
                if not self.point.pairs:
                    work["addition"] += units * -(-self.point.side // lanes)
        elif layer.kind == "pool":
            work["pool"] = outputs * (layer.taps if self.rules.used_columns else 1)
        elif layer.product:
            work["eltwise"] = outputs * self.components.activation_bits
        else:
            additions = len(layer.providers) - 1 if self.rules.used_columns else 1
            work["eltwise"] = outputs * max(1, additions)
        if self.activation(place):
            work[self.activation(place)] = outputs
        if layer.kind == "fc" and not self.rules.used_columns:
            return {name: min(-(-each // FC_CUT), FC_CUT) for name, each in work.items()}
        return work

    def operations(self) -> int:
        """Return the operations of an image; published rules take grouped layers for dense."""
        dense = not self.rules.used_columns
        layers = self.network.layers
        return sum(layer.operations * (layer.groups if dense else 1) for layer in layers)

    def loaded(self, layer: CrossbarLayer, place: int) -> int:
        """Return the elements that all macros of a layer read for a block, by published rules."""
        placed = self.plan.layers[place]
        if layer.has_weights:
            return placed.copies * placed.rows * placed.column_tiles * self.slices
        outputs = placed.copies * layer.out_channels
        return outputs * (layer.taps if layer.kind == "pool" else 1)
