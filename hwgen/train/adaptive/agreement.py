"""Whether the modes of a trained network are networks of their own.

A training can switch the outer channels of its wide modes off: their factors of batch norm become
so small that the integers of the map do not move, and a wide mode answers as a narrower one does.
Both are read off the network file, by images: how often two modes give the same class, and how many
channels that only the wider one has lie at this floor.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hwgen.errors import ConfigError
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.train.integer import infer, mode_parameters, weighted_sums
from hwgen.train.parallel import total

SAME_CLASSES = 0.99
"""Modes that agree on more images than this are suspected of being one network."""
FLOOR_CHANNELS = 0.5
"""They are one if more than this share of the channels that only the wider one has is at the
floor."""
FLOOR_STEPS = 0.5
"""A channel whose standard deviation is fewer steps of its map is at the floor."""
IMAGES_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Two modes: the share of images with the same class, and what the wider one has beyond.

    extra: channels of all layers with batch norm that only the wider one has
    at_floor: those of them that do not move by a step of their map
    """

    wider: str
    narrower: str
    same_class: float
    extra: int
    at_floor: int

    @property
    def one_network(self) -> bool:
        """Whether the wider mode does what the narrower one does."""
        return self.same_class > SAME_CLASSES and self.at_floor > FLOOR_CHANNELS * self.extra


def agreements(
    network: QuantizedNetwork, images: Tensor, classes: Sequence[Tensor]
) -> list[Agreement]:
    """Return the agreement of every two modes.

    images: uint8 (n, height, width, channels); classes: of them in each mode. Both are this
    process's part of the test images.
    """
    floor = [floor_channels(network, images[:IMAGES_AT_ONCE], mode) for mode in range(len(classes))]
    return [
        agreement(network, wide, narrow, classes, floor[wide])
        for wide, narrow in itertools.combinations(range(len(classes)), 2)
    ]


def agreement(
    network: QuantizedNetwork,
    wide: int,
    narrow: int,
    classes: Sequence[Tensor],
    floor: Mapping[str, Tensor],
) -> Agreement:
    """Return the agreement of two modes; floor: of the channels of the wider one, by layer."""
    beyond = [
        at_floor[network.map_of(name).channels_in(narrow) :] for name, at_floor in floor.items()
    ]
    same = total((classes[wide] == classes[narrow]).sum())
    images = total(torch.tensor(len(classes[wide]), device=same.device))
    return Agreement(
        wider=network.graph.modes[wide],
        narrower=network.graph.modes[narrow],
        same_class=int(same) / int(images),
        extra=sum(len(each) for each in beyond),
        at_floor=sum(int(each.sum()) for each in beyond),
    )


def check_modes(found: Sequence[Agreement], *, source: str) -> None:
    """Refuse modes that are one network."""
    for each in found:
        if each.one_network:
            raise ConfigError(
                field=f"modes {each.wider} and {each.narrower}",
                allowed="two networks",
                given=f"the same class on {each.same_class:.1%} of the test images, and "
                f"{each.at_floor} of the {each.extra} channels that only {each.wider} has at the "
                "floor",
                source=source,
            )


@torch.no_grad()
def floor_channels(network: QuantizedNetwork, images: Tensor, mode: int) -> dict[str, Tensor]:
    """Return for each layer with batch norm which channels are at the floor, bool (channels,)."""
    maps = infer(network, images, mode=mode)
    floor = {}
    for layer in network.layers:
        if not isinstance(layer, Conv | Linear) or layer.output.raw:
            continue
        parameters = mode_parameters(network, layer, mode)
        sums = weighted_sums(network, layer, maps, mode).double().flatten(0, 2)
        factor = parameters.multiplier.astype(float) / 2.0 ** parameters.shift.astype(float)
        floor[layer.name] = sums.std(0) * torch.tensor(factor, device=sums.device) < FLOOR_STEPS
    return floor
