"""What follows of the fabric from network, floorplan, point and clock: holdings and travels.

Routes go along the row first, then along the column: those from one node form a tree. Every pixel
leaves its merge macro once, by one multicast to all readers.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from hwgen.crossbar.facts.encoding import (
    column_accumulator_bits,
    input_sum_bits,
    partial_sum_bits,
)
from hwgen.crossbar.facts.fabric import (
    ORDERS,
    Clock,
    Constants,
    Fabric,
    Held,
    LayerFabric,
    Link,
    Region,
    Travel,
    TravelKind,
    encoding_of,
)
from hwgen.crossbar.facts.holdings import (
    Cut,
    Holding,
    adcs_for,
    conversions_in,
    crossbars_in,
    cut_of,
    holdings_of,
    samples_of,
    units_in,
)
from hwgen.crossbar.facts.layout import IMAGE_MACRO, Floorplan, most_arriving
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point

CLOCK_NS = 1.0
CHAIN_CLOCKS = 11
"""A macro of a chain: a hop and an addition of one vector."""


@dataclass(frozen=True, kw_only=True)
class Chip:
    """What the fabric follows from.

    clocks_per_bit: steps of a bit step, by layer
    """

    network: CrossbarNetwork
    plan: Floorplan
    point: Point
    weight_bits: int
    activation_bits: int
    step_ns: float
    clocks_per_bit: tuple[int, ...]
    constants: Constants

    @property
    def step_clocks(self) -> int:
        """Clocks of a step, whole."""
        return math.ceil(self.step_ns / CLOCK_NS - 1e-9)

    @property
    def slices(self) -> int:
        """Cells that hold one weight."""
        return -(-self.weight_bits // self.point.cell_bits)

    def node(self, macro: int) -> int:
        """Return the node of a macro."""
        row, column = self.plan.position(macro)
        return row * self.plan.mesh_columns + column

    def readers(self, place: int | None) -> list[int]:
        """Return the layers that read a layer; None: the image."""
        if place is None:
            return [i for i, layer in enumerate(self.network.layers) if not layer.providers]
        return [i for i, layer in enumerate(self.network.layers) if place in layer.providers]

    def cut(self, place: int) -> Cut:
        """Return how the weights of a layer are cut."""
        return cut_of(self.network.layers[place], self.point.side, self.slices)

    def holdings(self, place: int) -> list[Holding]:
        """Return what each macro of a layer with weights holds."""
        placed = self.plan.layers[place]
        return holdings_of(self.cut(place), placed.copies, placed.macros)

    def is_chained(self, place: int) -> bool:
        """Return whether partial sums of a copy travel from macro to macro."""
        placed = self.plan.layers[place]
        return self.network.layers[place].has_weights and len(placed.macros) > placed.copies


def fabric_of(chip: Chip, regions: tuple[Region, ...]) -> Fabric:
    """Return the whole fabric; the sizes of regions are simulated, all else follows."""
    side, cell = chip.point.side, chip.point.cell_bits
    accesses = math.ceil(chip.constants.scratchpad.latency_ns / CLOCK_NS)
    return Fabric(
        clock=Clock(
            clock_ns=CLOCK_NS, step_clocks=chip.step_clocks, access_clocks=max(1, accesses)
        ),
        encoding=encoding_of(
            column_accumulator_bits(side, cell, chip.activation_bits),
            input_sum_bits(side, chip.activation_bits),
        ),
        orders=ORDERS,
        constants=chip.constants,
        image_node=IMAGE_MACRO,
        layers=tuple(
            layer_fabric(chip, place)
            for place, layer in enumerate(chip.network.layers)
            if layer.has_weights
        ),
        travels=tuple(travels_of(chip)),
        regions=regions,
    )


def layer_fabric(chip: Chip, place: int) -> LayerFabric:
    """Return who holds what of a layer with weights."""
    cut = chip.cut(place)
    bit_step_ns = chip.clocks_per_bit[place] * chip.step_clocks * CLOCK_NS
    samples = max(1, samples_of(chip.constants.adc.samples_per_ns, bit_step_ns))
    rows = cut.group_rows
    return LayerFabric(
        layer=place,
        groups_together=cut.groups_together,
        sections=cut.sections,
        samples=samples,
        partial_sum_bits=partial_sum_bits(rows, chip.weight_bits, chip.activation_bits),
        held=tuple(
            Held(
                macro=one.macro,
                copies=(one.copies.start, one.copies.stop),
                row_tiles=(one.row_tiles.start, one.row_tiles.stop),
                units=units_in(cut, one),
                crossbars=crossbars_in(cut, one),
                conversions=conversions_in(cut, one),
                adcs=adcs_for(conversions_in(cut, one), samples),
            )
            for one in chip.holdings(place)
        ),
    )


def travels_of(chip: Chip) -> Iterator[Travel]:
    """Yield all that travels: the image, then layer by layer chains, gathers and sends."""
    yield from image_travels(chip)
    for place, layer in enumerate(chip.network.layers):
        if layer.has_weights:
            yield from chains_of(chip, place)
            yield from gathers_of(chip, place)
        sent = send_of(chip, place)
        if sent is not None:
            yield sent


def image_travels(chip: Chip) -> Iterator[Travel]:
    """Yield how what is new of the image for a block comes to all macros of a layer."""
    for place in chip.readers(None):
        placed, layer = chip.plan.layers[place], chip.network.layers[place]
        nodes = [chip.node(macro) for macro in placed.macros]
        yield travel(
            chip,
            "image",
            None,
            readers=(place,),
            source=IMAGE_MACRO,
            targets=tuple(sorted(nodes)),
            tree=tree_of(chip, IMAGE_MACRO, sorted(nodes)),
            pixels=most_arriving(layer, placed.copies),
            channels=layer.in_channels,
        )


def chains_of(chip: Chip, place: int) -> Iterator[Travel]:
    """Yield the partial sums that go from each macro of a copy to the next."""
    if not chip.is_chained(place):
        return
    held = chip.holdings(place)
    for one, following in pairwise(held):
        if one.copies == following.copies:
            source, target = chip.node(one.macro), chip.node(following.macro)
            yield travel(
                chip,
                "chain",
                place,
                readers=(place,),
                source=source,
                targets=(target,),
                tree=tree_of(chip, source, [target]),
                pixels=1,
                channels=chip.network.layers[place].out_channels,
                bits=layer_fabric(chip, place).partial_sum_bits,
            )


def gathers_of(chip: Chip, place: int) -> Iterator[Travel]:
    """Yield the results that go from each macro with whole sums to the merge macro.

    Each starts so late that it reaches the merge macro behind all before it.
    """
    target = chip.node(chip.plan.layers[place].merge_macro)
    held = chip.holdings(place)
    whole = [one for k, one in enumerate(held) if is_whole(held, k)]
    sources = [one for one in whole if chip.node(one.macro) != target]
    longest = max((hops(chip, chip.node(one.macro), target) for one in sources), default=0)
    before = 0
    for one in sources:
        source = chip.node(one.macro)
        channels = chip.network.layers[place].out_channels
        yield travel(
            chip,
            "gather",
            place,
            readers=(place,),
            source=source,
            targets=(target,),
            tree=tree_of(chip, source, [target]),
            pixels=len(one.copies),
            channels=channels,
            first_clock=before + longest - hops(chip, source, target),
        )
        before += 1 + flits(chip, len(one.copies) * channels * chip.activation_bits)


def is_whole(held: list[Holding], place: int) -> bool:
    """Return whether the sums of a macro are whole: it is the last one of its copies."""
    return place + 1 == len(held) or held[place].copies != held[place + 1].copies


def send_of(chip: Chip, place: int) -> Travel | None:
    """Return the results of a layer on their way to all readers, or off the chip."""
    placed, layer = chip.plan.layers[place], chip.network.layers[place]
    readers = chip.readers(place)
    source = chip.node(placed.merge_macro)
    targets = {chip.node(macro) for i in readers for macro in chip.plan.layers[i].macros}
    nodes = sorted(targets - {source}) if readers else [IMAGE_MACRO]
    if not nodes:
        return None
    return travel(
        chip,
        "send" if readers else "result",
        place,
        readers=tuple(readers),
        source=source,
        targets=tuple(nodes),
        tree=tree_of(chip, source, nodes),
        pixels=min(placed.copies, layer.pixels),
        channels=layer.out_channels,
    )


def travel(
    chip: Chip,
    kind: TravelKind,
    layer: int | None,
    *,
    readers: tuple[int, ...],
    source: int,
    targets: tuple[int, ...],
    tree: tuple[Link, ...],
    pixels: int,
    channels: int,
    bits: int = 0,
    first_clock: int = 0,
) -> Travel:
    """Return a travel with its clocks; `bits` of an element, by default those of activations."""
    wide = bits or chip.activation_bits
    hops_most = max((hops(chip, source, target) for target in targets), default=0)
    return Travel(
        kind=kind,
        layer=layer,
        readers=readers,
        source=source,
        targets=targets,
        tree=tree,
        pixels=pixels,
        channels=channels,
        bits=wide,
        clocks=hops_most + 1 + flits(chip, pixels * channels * wide),
        first_clock=first_clock,
    )


def flits(chip: Chip, bits: int) -> int:
    """Return the flits of some bits, without a header."""
    return -(-bits // chip.constants.network_on_chip.flit_bits)


def route(chip: Chip, source: int, target: int) -> list[Link]:
    """Return the links from one node to another: along the row, then along the column."""
    columns = chip.plan.mesh_columns
    links = []
    here = source
    while here % columns != target % columns:
        there = here + (1 if target % columns > here % columns else -1)
        links.append((here, there))
        here = there
    while here != target:
        there = here + (columns if target > here else -columns)
        links.append((here, there))
        here = there
    return links


def hops(chip: Chip, source: int, target: int) -> int:
    """Return the links between two nodes."""
    return len(route(chip, source, target))


def tree_of(chip: Chip, source: int, targets: list[int]) -> tuple[Link, ...]:
    """Return the links of a multicast, each once and behind the one that leads to it."""
    links = dict.fromkeys(link for target in targets for link in route(chip, source, target))
    return tuple(links)
