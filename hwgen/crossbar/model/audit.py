"""What everything on a chip adds up to, from its architecture file and the constants alone.

Nothing here looks at how the design was found: each item of the architecture is counted, multiplied
by what the components file says of one, and summed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.components import Components, Powers
from hwgen.crossbar.facts.rules import RULES
from hwgen.errors import ConfigError

CHIP = "chip"
"""Stands where a layer's name would, for what belongs to no layer."""

DIGITAL = ("shift_add", "addition", "relu", "sigmoid", "pool", "eltwise")


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
    # Strict rules: access after access, each of whole clocks.
    clock_ns = components.clock_ns
    access_ns = math.ceil(memory.latency_ns / clock_ns) * clock_ns
    access = max(memory.read_nj, memory.write_nj) / access_ns
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
