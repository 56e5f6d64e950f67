"""The rings in the scratchpads of a chip: one for each reader and provider, and one of results."""

from itertools import accumulate
from typing import Literal, NamedTuple

from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.ports import shares_of


class Ring(NamedTuple):
    """A region but for its place and size, see `hwgen.crossbar.facts.fabric.Region`."""

    macro: int
    kind: Literal["input", "output"]
    layer: int
    provider: int | None
    first_channel: int
    pixel_channels: int
    bits: int


def rings_of(chip: Chip) -> list[Ring]:
    """Return all rings, macro after macro, in each layer after layer, inputs before outputs."""
    return [
        ring._replace(macro=macro)
        for macro in range(chip.plan.macros)
        for place, placed in enumerate(chip.plan.layers)
        for ring in [
            *(inputs_of(chip, place) if macro in placed.macros else ()),
            *([output_of(chip, place)] if macro == placed.merge_macro else ()),
        ]
    ]


def inputs_of(chip: Chip, place: int) -> list[Ring]:
    """Return the rings of what is sent to a layer; what it reads in place has none."""
    layer = chip.network.layers[place]
    if not layer.providers:
        return [Ring(0, "input", place, None, 0, layer.in_channels, chip.activation_bits)]
    shares = shares_of(chip.network, place)
    firsts = accumulate((0, *shares[:-1])) if layer.kind != "eltwise" else [0]
    first_channels = dict(zip(layer.providers, firsts, strict=False))
    return [
        Ring(
            0,
            "input",
            place,
            provider,
            first_channels.get(provider, 0),
            chip.network.layers[provider].out_channels,
            chip.activation_bits,
        )
        for provider in layer.providers
        if chip.is_remote(provider, place)
    ]


def output_of(chip: Chip, place: int) -> Ring:
    """Return the ring of results of a layer."""
    channels = chip.network.layers[place].out_channels
    return Ring(0, "output", place, place, 0, channels, chip.output_bits(place))
