"""Networks of torch drawn from a seed: a stem, blocks in today's styles and a head."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import nn

from tests.corpus.draws import Draw, stride_of
from tests.corpus.torch_networks import (
    CLASSES,
    ChannelAttention,
    Conv,
    Dense,
    Fire,
    Gate,
    Given,
    Inception,
    Inverted,
    Residual,
    Shuffle,
    drawn,
)

ACTS: Mapping[str, type[nn.Module]] = MappingProxyType(
    {
        "relu": nn.ReLU,
        "relu6": nn.ReLU6,
        "swish": nn.SiLU,
        "hard_swish": nn.Hardswish,
        "leaky_relu": nn.LeakyReLU,
    }
)

Block = Callable[[int, int, type], nn.Module]
"""Takes channels, stride and activation."""

BLOCKS: Mapping[str, Block] = MappingProxyType(
    {
        "convolution": lambda i, s, act: Conv(i, 2 * i if s > 1 else i, 3, s, act=act),
        "grouped": lambda i, s, act: Conv(i, i, 3, s, g=4, act=act),
        "dilated": lambda i, s, act: nn.Sequential(nn.Conv2d(i, i, 3, s, 2, dilation=2), act()),
        "separable": lambda i, s, act: nn.Sequential(
            Conv(i, i, 3, s, g=i, act=act), Conv(i, 16, 1, act=act)
        ),
        "residual": lambda i, s, act: Residual(i, s * i, s, act),
        "inverted": lambda i, s, act: Inverted(i, i, s, act),
        "gated": lambda i, s, act: Inverted(i, i, s, act, Gate(3 * i)),
        "attention": lambda i, s, act: ChannelAttention(),
        "fire": lambda i, s, act: Fire(i, 4, 8),
        "inception": lambda i, s, act: Inception(i),
        "dense": lambda i, s, act: Dense(i, 4, 2),
        "shuffle": lambda i, s, act: Shuffle(i),
        "maximum": lambda i, s, act: nn.MaxPool2d(3, s, 1),
        "mean": lambda i, s, act: nn.AvgPool2d(3, s, 1),
    }
)

Head = Callable[[tuple[int, ...]], nn.Module]
"""Takes the shape of the map behind the blocks, channels first."""

HEADS: Mapping[str, Head] = MappingProxyType(
    {
        "mean": lambda map_: nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(map_[0], CLASSES)
        ),
        "hidden": lambda map_: nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(map_[0], 24),
            nn.ReLU(),
            nn.Linear(24, CLASSES),
        ),
        "flat": lambda map_: nn.Sequential(
            nn.Flatten(), nn.Linear(map_[0] * map_[1] * map_[2], CLASSES)
        ),
        "pixels": lambda map_: nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(map_[0], 3, 3, padding=1)
        ),
        "transposed": lambda map_: nn.ConvTranspose2d(map_[0], 3, 2, 2),
    }
)


def network(draw: Draw) -> Given:
    """Return a drawn network in inference with drawn weights, and its image's shape."""
    rows, columns, channels = draw.sides
    shape, act = (channels, rows, columns), ACTS[draw.act]

    def make() -> nn.Module:
        layers: list[nn.Module] = [Conv(channels, draw.width, draw.kernel, 2, act=act)]
        for name, stride in draw.blocks:
            map_ = map_behind(layers, shape)
            layers.append(BLOCKS[name](map_[0], stride_of(map_[1:], stride), act))
        return nn.Sequential(*layers, HEADS[draw.head](map_behind(layers, shape)))

    return drawn(make, seed=draw.seed), shape


def map_behind(layers: Sequence[nn.Module], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of the map behind layers, channels first."""
    with torch.no_grad():
        return tuple(nn.Sequential(*layers).eval()(torch.zeros(1, *shape)).shape[1:])
