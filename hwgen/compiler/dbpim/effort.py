"""Estimates without activations: what the compiler weighs when nobody gives it a cycle model."""

from hwgen.compiler.dbpim.groups import FilterGroup, WeightTile
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, LIKELY_BIT_COLUMNS, Arch
from hwgen.spec.dbpim.stream import tile_beats


def tile_cycles(tile: WeightTile, arch: Arch) -> int:
    """Return the cycles of a tile for one vector: those of the switch or those of the macros.

    The switch takes a cycle for each word and for each `switch_rate` of its kept inputs, the
    macros one for each row and bit column.
    """
    columns = LIKELY_BIT_COLUMNS if arch.sparsity.input_bits else ACTIVATION_BITS
    kept = tile.piece.masks.sum(axis=1)
    switch = int((-(-kept // arch.switch_rate)).clip(min=1).sum())
    return max(switch, len(tile.codes) * columns)


def group_cycles(group: FilterGroup, arch: Arch) -> int:
    """Return the cycles of all tiles of a group for one position vector."""
    return sum(tile_cycles(tile, arch) for tile in group.tiles)


def group_beats(group: FilterGroup, arch: Arch) -> int:
    """Return the beats of all tiles of a group, sent once."""
    total = 0
    for number, tile in enumerate(group.tiles):
        beats = tile_beats(arch, mask_words=len(tile.piece.masks), parameters=number == 0)
        total += beats.header + beats.masks + beats.parameters + beats.row * len(tile.codes)
    return total
