"""What a confirmed design reaches and where its power, energy and area go."""

import math
from dataclasses import dataclass

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.model.allocate import chain_additions
from hwgen.crossbar.model.audit import Item, audit, total_area_mm2, total_peak_w
from hwgen.crossbar.model.evaluate import Stream, block_energy, image_energy
from hwgen.crossbar.model.record import Confirmed
from hwgen.crossbar.model.tables import (
    COMPONENTS,
    DYNAMIC,
    LATENCY,
    OPERATIONS,
    PER_BIT,
)

PARTS = ("crossbar", *COMPONENTS, "scratchpad", "network_on_chip")
"""What power, energy and area are broken down to."""


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

    items, peak_w, area_mm2: added up from the architecture, see `hwgen.crossbar.model.audit`
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
        partner = layer.place.partner
        if layer.mapping.crossbars == 0 or (partner is not None and partner < place):
            continue
        pair = [place] if partner is None else [place, partner]
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
