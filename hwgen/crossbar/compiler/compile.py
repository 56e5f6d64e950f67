"""From a quantized network and the architecture of its shapes to a program, and how it is cut."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from hwgen.chip.program_checksum import sealed
from hwgen.chip.step import PlannedStep
from hwgen.chip.tiling import LayerTiling
from hwgen.crossbar.compiler.answers import with_answers
from hwgen.crossbar.compiler.lowering import BEAT_BITS, Lowering
from hwgen.crossbar.compiler.quantized import bits_of, crossbar_network, functions_of
from hwgen.crossbar.facts.arch import Arch, fabric_of_chip
from hwgen.crossbar.facts.chip import Chip, ChipLayer, described
from hwgen.crossbar.facts.holdings import Cut
from hwgen.crossbar.facts.image_io import CHECKSUM_BYTE
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.program import (
    BEAT,
    FORMAT,
    VERSION,
    AnswerPlan,
    ImagePlan,
    LayerPlan,
    Program,
    ProgramFacts,
)
from hwgen.errors import ConfigError, DataError
from hwgen.network import INPUT, QuantizedNetwork

LOADED = ("name", "limits", "activation")
"""Of a layer: what a program brings, so that it may differ from what the chip was made for."""


def compile_network(
    network: QuantizedNetwork, arch: Arch, *, images: int = 1, layer_cost: object = None
) -> Program:
    """Return the program of a network; the same arguments give the same bytes.

    images: of one run, a stream; layer_cost: nothing is left to choose
    Raises ConfigError for a network of other shapes or of more bits, DataError for a longer stream
    than the rings hold.
    """
    chip = described(arch)
    check_bits(network, arch)
    layers = crossbar_network(network)
    check_layers(layers, arch.whole_network, network.graph.name, arch.name)
    check_images(arch, images)
    check_flits(chip.flit_bits, arch.name)
    image = Lowering(chip, network).program.astype(BEAT).view(np.uint8)
    layer_plans, fused = plans_of(network)
    facts = ProgramFacts(
        format=FORMAT,
        version=VERSION,
        network=network.digest,
        network_name=network.graph.name,
        architecture=arch.digest,
        architecture_name=arch.name,
        images=images,
        image=ImagePlan(shape=network.graph.input.shape),
        answer=AnswerPlan(layer=network.answer, shape=network.map_of(network.answer).shape),
        layers=layer_plans,
        fused=fused,
    )
    return Program(facts=facts, image=sealed(image, CHECKSUM_BYTE))


def plans_of(network: QuantizedNetwork) -> tuple[list[LayerPlan], list[str]]:
    """Return what each layer of the chip stores, and the layers of which none is stored.

    An answer that is a copy has the name of what it copies, unless a layer that readers see has it.
    """
    made = with_answers(network)
    copied = dict(zip(made.graph.outputs, network.graph.outputs, strict=True))
    ops = {layer.name: layer.op for layer in made.layers}
    stored = maps_of_layers(made)
    whole = {name for name, is_whole in stored if is_whole}
    plans = []
    for name, _ in stored:
        answer = copied.get(name, name)
        if answer != name and answer in whole:
            plans.append(LayerPlan(name=name, op=ops[name], answers=answer))
        else:
            plans.append(LayerPlan(name=answer, op=ops[answer]))
    whole |= {plan.map for plan, (_, is_whole) in zip(plans, stored, strict=True) if is_whole}
    return plans, [layer.name for layer in network.layers if layer.name not in whole]


def unstored(network: QuantizedNetwork, program: object, arch: object) -> set[str]:
    """Return the layers that another one takes in, and the image, which no macro stores."""
    return {INPUT, *plans_of(network)[1]}


def maps_of_layers(network: QuantizedNetwork) -> list[tuple[str, bool]]:
    """Return by layer of the chip the map of the network that it stores: that of its last table.

    False beside the layer's own name: a table behind a concatenation makes what it stores, which is
    a part of a map.
    """
    inputs = {layer.name: tuple(layer.inputs) for layer in network.layers}
    found = []
    for name, tables in functions_of(network).items():
        here, whole = name, True
        for table in tables:
            whole = whole and inputs[table] == (here,)
            here = table
        found.append((here if whole else name, whole))
    return found


def check_bits(network: QuantizedNetwork, arch: Arch) -> None:
    """Refuse weights and maps of more bits than the chip has."""
    for what, given in bits_of(network)._asdict().items():
        most = arch.weight_bits if what == "weights" else arch.activation_bits
        if given > most:
            raise ConfigError(
                field=f"bits of {what}",
                allowed=f"at most {most}, as {arch.name} has them",
                given=given,
                source=network.graph.name,
            )


def check_flits(flit_bits: int, source: str) -> None:
    """Refuse links that a program, of which each beat is a flit, cannot be written for."""
    if flit_bits != BEAT_BITS:
        raise ConfigError(
            field="flit_bits",
            allowed=f"{BEAT_BITS}, a beat of a program",
            given=flit_bits,
            source=source,
        )


def check_layers(
    network: CrossbarNetwork, made_for: CrossbarNetwork, source: str, chip: str
) -> None:
    """Refuse a network whose image or layers have other shapes than those of the chip."""
    for field in ("input_channels", "input_side", "input_columns"):
        refuse_other(field, getattr(made_for, field), getattr(network, field), source, chip)
    refuse_other("layers", len(made_for.layers), len(network.layers), source, chip)
    for own, given in zip(made_for.layers, network.layers, strict=True):
        wanted, found = asdict(own), asdict(given)
        for field in wanted.keys() - set(LOADED):
            refuse_other(f"{given.name}.{field}", wanted[field], found[field], source, chip)


def refuse_other(field: str, wanted: object, given: object, source: str, chip: str) -> None:
    """Refuse a value that is not what a chip was made for."""
    if given != wanted:
        allowed = f"{wanted}, which {chip} was made for"
        raise ConfigError(field=field, allowed=allowed, given=f"{given}", source=source)


def check_images(arch: Arch, images: int) -> None:
    """Refuse a stream of more images than those for which rings were sized."""
    most = fabric_of_chip(arch, arch.name).stream.images
    if images > most:
        raise DataError(
            f"the images of one run must be at most {most}, for which the rings of {arch.name} are"
            f" sized, got {images}"
        )


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
