"""What a confirmed design reaches and where its power, energy and area go.

The audit adds up a chip from its architecture file and the constants alone. It does not look at how
the design was found: each item of the architecture is counted, multiplied by what the components
file says of one, and summed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.components import Components, Powers
from hwgen.crossbar.facts.rules import RULES
from hwgen.crossbar.model.allocate import chain_additions
from hwgen.crossbar.model.evaluate import Stream, block_energy, image_energy
from hwgen.crossbar.model.record import Confirmed
from hwgen.crossbar.model.tables import COMPONENTS, DYNAMIC, LATENCY, OPERATIONS, PER_BIT
from hwgen.errors import ConfigError

CHIP = "chip"
"""Stands where a layer's name would, for what belongs to no layer."""

DIGITAL = ("shift_add", "addition", "relu", "sigmoid", "pool", "eltwise")

PARTS = ("crossbar", *COMPONENTS, "scratchpad", "network_on_chip")
"""What power, energy and area are broken down to."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """So many of one part for one layer, or for the chip.

    unit_peak_w: what a budget must hold for each; unit_static_w: while it does nothing
    """

    layer: str
    part: str
    count: int
    unit_peak_w: float
    unit_static_w: float
    unit_area_um2: float

    @property
    def peak_w(self) -> float:
        """Peak power of all."""
        return self.count * self.unit_peak_w


def audit(arch: Arch, components: Components) -> list[Item]:
    """Return every item of a chip; `components` must be those that it was made with."""
    if components.digest != arch.components.digest:
        raise ConfigError(
            field="the components",
            allowed=f"those of the architecture, {arch.components.name}"
            f" ({arch.components.digest[:8]})",
            given=f"{components.name} ({components.digest[:8]})",
            source=arch.name,
        )
    return [item for item in every_item(arch, components) if item.count > 0]


def total_peak_w(items: list[Item]) -> float:
    """Return the peak power of a chip, without an error of summation."""
    return math.fsum(item.peak_w for item in items)


def total_area_mm2(items: list[Item]) -> float:
    """Return the area of a chip."""
    return math.fsum(item.count * item.unit_area_um2 for item in items) / 1e6


def every_item(arch: Arch, components: Components) -> Iterator[Item]:
    """Yield all items, those of count 0 too."""
    strict = RULES[arch.rules].static_plus_dynamic
    point = arch.point
    crossbar = next(one for one in components.crossbars.sizes if one.side == point.side)
    dac = next(one for one in components.dacs.resolutions if one.bits == point.dac_bits)
    adc = next(one for one in components.adcs.resolutions if one.bits == arch.adc_bits)
    for layer in arch.layers:
        counts = layer.counts
        yield item(layer.name, "crossbar", layer.mapping.crossbars, crossbar, strict=strict)
        yield item(layer.name, "dac", counts.dac, dac, strict=strict)
        yield item(layer.name, "adc", counts.adc, adc, strict=strict)
        for name in DIGITAL:
            unit = getattr(components.vector_units, name)
            yield item(layer.name, name, getattr(counts, name), unit, strict=strict)
    wanted = arch.scratchpad.kilobytes
    memory = next(one for one in components.scratchpads.capacities if one.kilobytes == wanted)
    # Strict rules: access after access, each of whole clocks of 1 ns.
    access = max(memory.read_nj, memory.write_nj) / math.ceil(memory.latency_ns)
    yield Item(
        layer=CHIP,
        part="scratchpad",
        count=arch.mesh.macros,
        unit_peak_w=memory.leakage_w + (access if strict else 0),
        unit_static_w=memory.leakage_w,
        unit_area_um2=memory.area_um2,
    )
    # Its power is that of the whole chip, its area that of a router; both are one item each.
    mesh = components.network_on_chip
    yield Item(
        layer=CHIP,
        part="network_on_chip",
        count=1,
        unit_peak_w=mesh.power_w,
        unit_static_w=mesh.power_w,
        unit_area_um2=arch.mesh.macros * mesh.area_um2,
    )


def item(layer: str, part: str, count: int, powers: Powers, *, strict: bool) -> Item:
    """Return one item; strict rules hold no peak below static + dynamic to be true."""
    peak = powers.peak_w
    return Item(
        layer=layer,
        part=part,
        count=count,
        unit_peak_w=max(peak, powers.static_w + powers.dynamic_w) if strict else peak,
        unit_static_w=powers.static_w,
        unit_area_um2=powers.area_um2,
    )


@dataclass(frozen=True, kw_only=True)
class PartFigures:
    """All of one part on the chip.

    count: of a network-on-chip 1
    peak_w, static_w: power; area_mm2
    static_mj, dynamic_mj: energy of one image, while it is there and while it works
    """

    part: str
    count: int
    peak_w: float
    static_w: float
    static_mj: float
    dynamic_mj: float
    area_mm2: float

    @property
    def energy_mj(self) -> float:
        """Energy of one image."""
        return self.static_mj + self.dynamic_mj


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """Figures of a design.

    items, peak_w, area_mm2: added up from the architecture, see `hwgen.crossbar.model.breakdown`
    peak_efficiency_gops_per_w: see `peak_gops`, over the peak power
    operations: of an image
    efficiency_gops_per_w: operations of an image over its energy
    throughput_gops: in a steady stream of images, one every interval that was found to hold
    least_interval: steps that layers and shared ADCs ask for; stream: what was simulated
    """

    items: list[Item]
    parts: list[PartFigures]
    peak_w: float
    area_mm2: float
    operations: float
    efficiency_gops_per_w: float
    throughput_gops: float
    least_interval: int
    stream: Stream
    peak_efficiency_gops_per_w: float
    energy_mj: float
    latency_ms: float

    @property
    def edp_ms_mj(self) -> float:
        """Energy-delay product of one image."""
        return self.latency_ms * self.energy_mj


def break_down(confirmed: Confirmed, arch: Arch) -> Breakdown:
    """Return all figures of a design."""
    items = audit(arch, confirmed.components)
    cost = confirmed.cost
    operations = float(confirmed.tables.scalars[OPERATIONS])
    time_ns = cost.steps * cost.step_ns
    parts = [figures(confirmed, items, part, time_ns) for part in PARTS]
    return Breakdown(
        items=items,
        parts=parts,
        peak_w=total_peak_w(items),
        area_mm2=total_area_mm2(items),
        operations=operations,
        efficiency_gops_per_w=float(cost.efficiency),
        throughput_gops=confirmed.throughput_gops,
        least_interval=int(cost.interval),
        stream=confirmed.stream,
        peak_efficiency_gops_per_w=peak_gops_per_w(confirmed, arch, items),
        energy_mj=math.fsum(part.energy_mj for part in parts),
        latency_ms=time_ns / 1e6,
    )


def figures(confirmed: Confirmed, items: list[Item], part: str, time_ns: float) -> PartFigures:
    """Return the figures of one part."""
    own = [item for item in items if item.part == part]
    static = math.fsum(item.count * item.unit_static_w for item in own)
    return PartFigures(
        part=part,
        count=sum(item.count for item in own),
        peak_w=total_peak_w(own),
        static_w=static,
        static_mj=static * time_ns / 1e6,
        dynamic_mj=dynamic_nj(confirmed, part) / 1e6,
        area_mm2=total_area_mm2(own),
    )


def dynamic_nj(confirmed: Confirmed, part: str) -> float:
    """Return the energy of one image that work costs, beside what is spent anyway."""
    tables, layout = confirmed.tables, confirmed.layout
    positions = layout.copies * layout.blocks
    if part == "crossbar":
        reads = float((tables.crossbars * positions).sum()) * tables.bit_steps
        return reads * float(tables.crossbar[3] * tables.crossbar[DYNAMIC])
    if part == "scratchpad":
        return math.fsum(access_nj(confirmed, place) for place in range(len(positions)))
    if part == "network_on_chip":
        return 0.0
    place = COMPONENTS.index(part)
    work = float((tables.work[:, place] * positions).sum())
    if part == "addition":
        work += sum(
            chain_additions(tables, layout, i) * int(blocks)
            for i, blocks in enumerate(layout.blocks)
        )
    if place in PER_BIT:
        work *= tables.bit_steps
    return work * float(tables.parts[place, LATENCY] * tables.parts[place, DYNAMIC])


def access_nj(confirmed: Confirmed, place: int) -> float:
    """Return what accesses to scratchpads cost one layer."""
    tables, layout, memory = confirmed.tables, confirmed.layout, int(confirmed.cost.memory)
    block = float(block_energy(tables, layout, memory, place))
    image = float(image_energy(tables, layout, memory, place))
    return image + int(layout.blocks[place]) * block


def peak_gops_per_w(confirmed: Confirmed, arch: Arch, items: list[Item]) -> float:
    """Return `peak_gops` over the peak power of all items."""
    return peak_gops(confirmed, arch) / total_peak_w(items)


def peak_gops(confirmed: Confirmed, arch: Arch) -> float:
    """Return the operations in a ns when all crossbars compute at the same time.

    Every copy of every layer's weights then finishes a pixel each `bit_steps` x `clocks_per_bit`
    steps; of two layers that share their ADCs, one after the other. Nothing waits for data.
    """
    published = not confirmed.rules.whole_parts
    total = 0.0
    for place, layer in enumerate(arch.layers):
        mate = layer.place.mate
        if layer.mapping.crossbars == 0 or (mate is not None and mate < place):
            continue
        pair = [place] if mate is None else [place, mate]
        operations = 0.0
        clocks = 0
        for one in pair:
            work = confirmed.network.layers[one]
            dense = work.groups if published else 1
            copies = arch.layers[one].mapping.copies
            operations += dense * work.operations / work.pixels * copies
            clocks += arch.layers[one].mapping.clocks_per_bit
        total += operations / (clocks * arch.bit_steps * arch.step_ns)
    return total
