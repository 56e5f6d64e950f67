"""Where the maps lie: each in the lowest gap that is free while the map is needed (first fit)."""

from hwgen.errors import CompileError
from hwgen.spec.dbpim.addressing import region_at
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import Opcode, field_bits, field_limit
from hwgen.spec.dbpim.program import Region
from hwgen.spec.network import INPUT, FeatureMap, QuantizedNetwork

MAP_LIMIT = field_limit(Opcode.CONV, "input_height")
"""Rows, columns and channel words of a map at most: all have fields of one width."""

WORDS_LIMIT = 1 << field_bits(Opcode.CONV, "input_base")
"""Words of a bank that regions may take."""


def allocate(network: QuantizedNetwork, arch: Arch) -> dict[str, Region]:
    """Return the region of every map by layer name, the image included, the logits not.

    A map is live from the layer that writes it to the last one that reads it, both included.
    """
    last_read = {name: step for step, layer in enumerate(network.layers) for name in layer.inputs}
    regions = {INPUT: place(INPUT, network.graph.input, [], arch)}
    for step, layer in enumerate(network.layers[:-1]):
        live = [region for name, region in regions.items() if last_read.get(name, -1) >= step]
        regions[layer.name] = place(layer.name, layer.output, live, arch)
    return regions


def place(name: str, feature: FeatureMap, live: list[Region], arch: Arch) -> Region:
    """Return the lowest region that overlaps none of the live ones."""
    check_size(name, feature, arch)

    def at(base: int) -> Region:
        return region_at(
            base, height=feature.height, width=feature.width, channels=feature.channels, arch=arch
        )

    available = min(arch.bank_words, WORDS_LIMIT)
    words, base, largest = at(0).words, 0, 0
    for region in sorted(live, key=lambda region: region.base):
        gap = region.base - base
        if gap >= words:
            return at(base)
        base, largest = max(base, region.base + region.words), max(largest, gap)
    gap = available - base
    if gap < words:
        raise CompileError(
            f"layer {name}: its map must fit the activation buffer, got {words} words a bank where"
            f" {max(largest, gap)} of {available} are free in one piece"
        )
    return at(base)


def check_size(name: str, feature: FeatureMap, arch: Arch) -> None:
    """Refuse a map that the fields of an instruction cannot describe."""
    sizes = {
        "height": (feature.height, MAP_LIMIT),
        "width": (feature.width, MAP_LIMIT),
        "channels": (feature.channels, MAP_LIMIT * arch.macro.compartments),
    }
    for what, (size, limit) in sizes.items():
        if size > limit:
            raise CompileError(f"layer {name}: {what} must be at most {limit}, got {size}")
