"""Whether the numbers of an architecture follow from each other; a message: field|allowed|given."""

import math
from typing import TYPE_CHECKING

from hwgen.spec.crossbar.tiling import tiles_of

if TYPE_CHECKING:
    from hwgen.spec.crossbar.arch import Arch, ArchLayer


def equal(field: str, meaning: str, wanted: object, given: object) -> None:
    """Refuse a number that is not what follows from others."""
    if given != wanted:
        raise ValueError(f"{field}|{meaning} ({wanted})|{given}")


def ceil_div(a: int, b: int) -> int:
    """Return a / b, rounded up."""
    return -(-a // b)


def check_chip(arch: "Arch") -> None:
    """Check what concerns the chip as a whole."""
    equal("adc_bits", "what rows, cells and DACs ask for", arch.point.adc_bits, arch.adc_bits)
    if (arch.rules == "published") != (arch.point.rram_ratio is not None):
        allowed = "a share under published rules, null under strict ones"
        raise ValueError(f"point.rram_ratio|{allowed}|{arch.point.rram_ratio}")
    total = sum(each.place.macros for each in arch.layers if owns_macros(arch, each))
    equal("mesh.macros", "the macros of all layers", total, arch.mesh.macros)
    columns = ceil_div(total, math.isqrt(total - 1) + 1) if total else 0
    equal("mesh.columns", "those of the smallest near square", columns, arch.mesh.columns)
    equal("mesh.rows", "macros / columns, rounded up", ceil_div(total, columns), arch.mesh.rows)


def owns_macros(arch: "Arch", layer: "ArchLayer") -> bool:
    """Return whether the macros of a layer are its own: not those of a provider or earlier mate."""
    if layer.kind not in ("conv", "fc"):
        return False
    mate = layer.place.mate
    return mate is None or mate > arch.layers.index(layer)


def check_layers(arch: "Arch") -> None:
    """Check layer after layer."""
    free = 0
    for place, layer in enumerate(arch.layers):
        name = f"layers.{place}"
        for provider in layer.providers:
            if provider >= place:
                raise ValueError(f"{name}.providers|layers before it|{provider}")
        check_blocks(arch, place)
        if layer.kind in ("conv", "fc"):
            check_weights(arch, place)
            check_mate(arch, place)
            if owns_macros(arch, layer):
                equal(f"{name}.place.first_macro", "the next free one", free, first_of(layer))
                free += layer.place.macros
                merge = free - 1
                meaning = "its last macro"
            else:
                merge, meaning = first_of(layer), "its first macro, in those of its mate"
            equal(f"{name}.place.merge_macro", meaning, merge, layer.place.merge_macro)
        else:
            check_guest(arch, place)


def first_of(layer: "ArchLayer") -> int:
    """Return the first macro of a layer."""
    return layer.place.first_macro


def check_blocks(arch: "Arch", place: int) -> None:
    """Check copies against computation blocks."""
    layer = arch.layers[place]
    mapping, name = layer.mapping, f"layers.{place}.mapping"
    pixels = layer.output.side**2
    if layer.kind in ("conv", "fc"):
        wanted = ceil_div(pixels, mapping.copies)
        equal(f"{name}.blocks", "pixels / copies, rounded up", wanted, mapping.blocks)
    else:
        most = max([1, *(arch.layers[each].mapping.blocks for each in layer.providers)])
        equal(f"{name}.blocks", "those of its providers", min(most, pixels), mapping.blocks)
        wanted = ceil_div(pixels, mapping.blocks)
        equal(f"{name}.copies", "pixels / blocks, rounded up", wanted, mapping.copies)


def check_weights(arch: "Arch", place: int) -> None:
    """Check tiles, crossbars, shares and DACs of a layer with weights."""
    layer = arch.layers[place]
    mapping, name = layer.mapping, f"layers.{place}.mapping"
    tiles = tiles_of(layer.layer, arch.point.side, strict=arch.rules == "strict")
    for key, wanted in zip(("rows", "row_tiles", "column_tiles"), tiles, strict=True):
        equal(f"{name}.{key}", "what the weights take", wanted, getattr(mapping, key))
    crossbars = mapping.copies * mapping.row_tiles * mapping.column_tiles * arch.slices
    equal(f"{name}.crossbars", "copies x tiles x slices", crossbars, mapping.crossbars)
    shares = ceil_div(layer.place.macros, mapping.copies)
    equal(f"{name}.row_shares", "macros / copies, rounded up", shares, mapping.row_shares)
    shares = ceil_div(layer.place.macros, shares)
    equal(f"{name}.copy_shares", "macros / row_shares, rounded up", shares, mapping.copy_shares)
    if layer.place.macros > mapping.copies * mapping.row_tiles:
        limit = f"at most copies x row_tiles ({mapping.copies * mapping.row_tiles})"
        raise ValueError(f"layers.{place}.place.macros|{limit}|{layer.place.macros}")
    if arch.rules == "strict":
        drivers = mapping.copies * mapping.rows * mapping.column_tiles * arch.slices
        equal(f"layers.{place}.counts.dac", "one for each row in use", drivers, layer.counts.dac)
    if layer.counts.adc == 0 and layer.place.mate is None:
        raise ValueError(f"layers.{place}.counts.adc|at least 1 without a mate|0")


def check_mate(arch: "Arch", place: int) -> None:
    """Check a layer against the one that it shares its macros with."""
    layer = arch.layers[place]
    name = f"layers.{place}.place"
    if layer.place.mate is None:
        return
    if layer.place.mate >= len(arch.layers) or layer.place.mate == place:
        raise ValueError(f"{name}.mate|another layer|{layer.place.mate}")
    mate = arch.layers[layer.place.mate]
    equal(f"{name}.mate", "a layer whose mate is this one", place, mate.place.mate)
    equal(f"{name}.first_macro", "that of its mate", first_of(mate), first_of(layer))
    equal(f"{name}.macros", "those of its mate", mate.place.macros, layer.place.macros)


def check_guest(arch: "Arch", place: int) -> None:
    """Check a layer without weights: one place, that where its first provider's outputs meet."""
    layer = arch.layers[place]
    name = f"layers.{place}.place"
    wanted = arch.layers[layer.providers[0]].place.merge_macro if layer.providers else 0
    for key in ("first_macro", "merge_macro"):
        meaning = "the merge macro of its first provider"
        equal(f"{name}.{key}", meaning, wanted, getattr(layer.place, key))
    equal(f"{name}.macros", "one place", 1, layer.place.macros)
    equal(f"{name}.mate", "none without weights", None, layer.place.mate)
    equal(f"layers.{place}.mapping.crossbars", "none without weights", 0, layer.mapping.crossbars)
