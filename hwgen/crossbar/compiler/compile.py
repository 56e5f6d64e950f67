"""From a quantized network and the architecture that was made for its shapes to a program."""

from dataclasses import asdict

import numpy as np

from hwgen.crossbar.compiler.answers import with_answers
from hwgen.crossbar.compiler.lowering import BEAT_BITS, Lowering
from hwgen.crossbar.compiler.quantized import bits_of, crossbar_network, functions_of
from hwgen.crossbar.facts.arch import Arch, fabric_of_chip
from hwgen.crossbar.facts.chip import described
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
    beats = Lowering(chip, network).program
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
    return Program(facts=facts, image=beats.astype(BEAT).view(np.uint8))


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
    whole |= {plan.map for plan in plans}
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
