"""A program for people: every packet, and how each layer is cut and placed."""

from collections.abc import Iterator, Mapping, Sequence

from hwgen.chip.step import PlannedStep
from hwgen.chip.tiling import LayerTiling
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import Chip, ChipLayer, described
from hwgen.crossbar.facts.holdings import Cut
from hwgen.crossbar.facts.image_io import HEADER_BEATS
from hwgen.crossbar.facts.loads import (
    CHANNEL_FIELDS,
    COLUMN_FIELDS,
    FLIT,
    LIMITS_FIELDS,
    OPERANDS_FIELDS,
    TABLE_FIELDS,
    Fields,
    LoadTarget,
    load_targets,
)
from hwgen.crossbar.facts.packets import HEADER_FIELDS
from hwgen.crossbar.facts.program import BEAT, LayerPlan, Program

TABLES: Mapping[str, Fields] = {
    "column": COLUMN_FIELDS,
    "channel": CHANNEL_FIELDS,
    "limits": LIMITS_FIELDS,
    "operands": OPERANDS_FIELDS,
    "table": TABLE_FIELDS,
}
SIGNED = ("bias",)


def listing(program: Program, arch: Arch) -> str:
    """Return a line for each packet, under its macro, layer and kind of entry.

    A column: its unit, slice, sum, lane and slot, and how many of its cells' bits are 1.
    """
    return "".join(f"{line}\n" for line in lines(program, described(arch)))


def lines(program: Program, chip: Chip) -> Iterator[str]:
    """Yield the lines."""
    facts = program.facts
    yield f"{facts.network_name} on {facts.architecture_name}, {program.beats:,} beats"
    names = [plan.name for plan in facts.layers]
    before = None
    for macro, target, index, entry in packets(program, chip):
        if (macro, target.number) != before:
            yield f"macro {macro}, {names[target.layer]}: {target.kind}, {target.entries} entries"
            before = macro, target.number
        yield f"  {index:6} {entry_text(target, entry)}"


def packets(program: Program, chip: Chip) -> Iterator[tuple[int, LoadTarget, int, int]]:
    """Yield macro, target, index and entry of each packet of a program."""
    first = len(chip.travels)
    targets = [{one.number: one for one in load_targets(chip, each.macro)} for each in chip.macros]
    beats = program.image.view(BEAT)[HEADER_BEATS:].tolist()
    place = 0
    while place < len(beats):
        head = fields_of(HEADER_FIELDS, beats[place])
        macro = head["travel"] - first
        flits = beats[place + 1 : place + 1 + head["count"]]
        entry = sum(flit << (FLIT * number) for number, flit in enumerate(flits))
        yield macro, targets[macro][head["target"]], head["index"], entry
        place += 1 + head["count"]


def fields_of(fields: Fields, word: int) -> dict[str, int]:
    """Return the fields of a word by name."""
    found = {}
    for name, bits in fields:
        found[name] = word & ((1 << bits) - 1)
        word >>= bits
    return found


def entry_text(target: LoadTarget, entry: int) -> str:
    """Return an entry as text."""
    table = TABLES[target.kind]
    found = fields_of(table, entry)
    for name, bits in table:
        if name in SIGNED and found[name] >> (bits - 1):
            found[name] -= 1 << bits
    text = ", ".join(f"{name} {value}" for name, value in found.items())
    return f"{text}, ones {(entry >> FLIT).bit_count()}" if target.kind == "column" else text


def step_list(program: Program, arch: Arch) -> list[PlannedStep]:
    """Return a step for each layer, from its first block to its last; they overlap."""
    chip = described(arch)
    return [
        PlannedStep(
            name=plan.name,
            layer=plan.name,
            kind=layer.layer.kind,
            op=plan.op,
            images=(0, program.facts.images),
            rows=(0, layer.layer.out_sides[0]),
            cores=layer.macros if layer.layer.has_weights else 1,
            output=ring_text(chip, layer),
        )
        for plan, layer in zip(program.facts.layers, chip.layers, strict=True)
    ]


def ring_text(chip: Chip, layer: ChipLayer) -> str:
    """Return where the results of a layer lie; empty where they only travel."""
    for one in chip.regions:
        if one.kind == "output" and one.layer == layer.place:
            return f"macro {one.macro}, words {one.first_word}-{one.first_word + one.words - 1}"
    return ""


def tiling(program: Program, arch: Arch) -> list[LayerTiling]:
    """Return one entry for each layer.

    `sets` are macros, `share` the copies of its weights; `tiles_n`, `tiles_k`, `tiles_m`: column
    tiles, row tiles of a copy, blocks of an image; rows: of crossbars that hold weights, in all
    copies, of which `rows_loaded` counts each.
    """
    return [
        layer_tiling(layer, plan)
        for layer, plan in zip(described(arch).layers, program.facts.layers, strict=True)
    ]


def layer_tiling(layer: ChipLayer, plan: LayerPlan) -> LayerTiling:
    """Return how one layer is cut."""
    shape, cut = layer.layer, layer.cut
    k = shape.taps * shape.in_channels // shape.groups if shape.has_weights else shape.taps
    rows = 0 if cut is None else sum(cut.rows_of(section, tile) for section, tile in tiles(cut))
    return LayerTiling(
        name=plan.name,
        kind=plan.op,
        shape=(*shape.out_sides, shape.out_channels),
        kernel=shape.kernels,
        stride=shape.stride,
        padding=shape.padding,
        sets=layer.macros if cut else 1,
        share=layer.copies,
        filters=shape.out_channels,
        k=k,
        positions=shape.pixels,
        tiles_n=cut.column_tiles if cut else 0,
        tiles_k=cut.row_tiles if cut else 0,
        tiles_m=layer.blocks if cut else 0,
        tail_n=shape.out_channels % cut.side if cut else 0,
        tail_k=k % cut.side if cut else 0,
        tail_m=shape.pixels % layer.copies,
        rows=rows,
        rows_loaded=rows * layer.copies,
        rows_reloaded=1.0 if cut else None,
        weights_kept=1.0 if cut else None,
    )


def tiles(cut: Cut) -> Sequence[tuple[int, int]]:
    """Return all row tiles of a copy: section, and number in it."""
    return [(s, tile) for s in range(cut.sections) for tile in range(cut.row_tiles)]
