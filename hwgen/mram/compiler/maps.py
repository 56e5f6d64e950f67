"""Maps in the image banks: blocks of a pixel, and a bank for each map while it is needed.

Tests: `tests/mram/compiler/test_refused.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.errors import CompileError, Reasons
from hwgen.mram.compiler.units import Unit
from hwgen.mram.compiler.walks import conv_walk
from hwgen.mram.facts.arch import BANKS, WINDOW, Arch
from hwgen.mram.facts.image import pixel_blocks
from hwgen.network import INPUT, Conv, FeatureMap, QuantizedNetwork


@dataclass(frozen=True, kw_only=True)
class StoredMap:
    """A map in a bank; blocks: that a pixel takes."""

    feature: FeatureMap
    bank: int
    blocks: int

    @property
    def blocks_log(self) -> int:
        """log2 of the blocks."""
        return self.blocks.bit_length() - 1


def stored_maps(
    network: QuantizedNetwork, units: Sequence[Unit], arch: Arch, reasons: Reasons
) -> dict[str, StoredMap]:
    """Return the place of each map that is stored; reasons: takes each that does not fit."""
    banks, found = dict[str, int](), dict[str, StoredMap]()
    with reasons.among():
        banks = bank_of_maps(units, network.graph.outputs)
    for name, bank in banks.items():
        with reasons.among():
            found[name] = stored_map(name, bank, network, units, arch)
    return found


def stored_map(
    name: str, bank: int, network: QuantizedNetwork, units: Sequence[Unit], arch: Arch
) -> StoredMap:
    """Return the place of a map in its bank; CompileError where it does not fit."""
    feature = network.map_of(name)
    blocks = aligned_blocks(name, feature, units, arch)
    size = feature.height * feature.width * blocks * arch.block_bytes
    if size > arch.bank_bytes:
        raise CompileError(
            f"the map of {place_name(name)} must be at most {arch.bank_bytes} bytes on an mram"
            f" chip, got {size}"
        )
    return StoredMap(feature=feature, bank=bank, blocks=blocks)


def place_name(name: str) -> str:
    """Return how an error calls the source of a map."""
    return "the image" if name == INPUT else f"layer {name}"


def aligned_blocks(name: str, feature: FeatureMap, units: Sequence[Unit], arch: Arch) -> int:
    """Return the blocks of a pixel; lines that a window reads begin on rows of the bank."""
    try:
        blocks = pixel_blocks(feature.channels, arch)
    except ValueError:
        raise CompileError(
            f"the channels of {place_name(name)} must be at most {arch.pixel_blocks * arch.block}"
            f" on an mram chip, got {feature.channels}"
        ) from None
    windows = any(
        unit.source == name
        and isinstance(unit.layer, Conv)
        and conv_walk(unit.layer, feature, arch) is None
        for unit in units
    )
    row = arch.row_blocks
    while windows and feature.height > 1 and blocks < row and feature.width % (row // blocks):
        blocks *= 2
    return blocks


def bank_of_maps(units: Sequence[Unit], outputs: Sequence[str]) -> dict[str, int]:
    """Return the bank of each stored map: no two maps that are needed at once share one.

    Outputs that nothing reads go to the answer buffer.
    """
    last_reader = {name: number for number, unit in enumerate(units) for name in unit.reads}
    banks = {INPUT: 0}
    live = {INPUT}
    for number, unit in enumerate(units):
        if unit.name in outputs and unit.name not in last_reader:
            continue
        free = sorted(set(range(BANKS)) - {banks[name] for name in live})
        if not free:
            raise CompileError(
                f"the maps that are needed at once must be at most {BANKS} on an mram chip, got"
                f" {len(live) + 1} in layer {unit.name}"
            )
        banks[unit.name] = free[0]
        live.add(unit.name)
        live = {name for name in live if last_reader.get(name, -1) > number}
    return banks


def row_view(stored: StoredMap, arch: Arch) -> tuple[int, int] | None:
    """Return height and width of the map that the rows of a bank are, one pixel a row.

    None where it has more rows than a window.
    """
    feature = stored.feature
    size = feature.height * feature.width * stored.blocks * arch.block_bytes
    rows = -(-size // arch.row_bytes)
    return (-(-rows // WINDOW), min(rows, WINDOW)) if rows <= WINDOW * WINDOW else None
