"""A transformer for images: convolutions make tokens, blocks mix them, their mean is classified."""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hwgen.train.chip_weights import FixedDigits
from hwgen.train.converted import convert
from hwgen.train.network import Masked
from hwgen.train.transformer.recipe import Architecture, Stem


class Dense(Masked):
    """Weights (out, in, kernel, kernel) and bias; a kernel of 1 is applied to tokens.

    gain: of the result, which `plain` takes into the weights: no scale that integers see
    """

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int = 1, stride: int = 1, gain: float = 1.0
    ) -> None:
        super().__init__((outputs, inputs, kernel, kernel))
        self.hold(FixedDigits(self.original, rule="mode"))
        self.gain = gain
        self.stride, self.padding, self.tokens = stride, (kernel - 1) // 2, kernel == 1
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.trunc_normal_(self.original, std=1 / math.sqrt(inputs * kernel * kernel))

    @property
    def digits(self) -> FixedDigits:
        """What a chip makes of the weights, by a rule of digits."""
        return cast(FixedDigits, self.chip)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of (n, c, h, w), or the product with tokens (n, tokens, c)."""
        weight = self.weight
        if self.tokens:
            y: Tensor = functional.linear(x, weight.flatten(1), self.bias)
            return y if self.gain == 1 else y * self.gain
        return functional.conv2d(x, weight, self.bias, self.stride, self.padding)


class Attention(nn.Module):
    """Each token reads all tokens, in each head; 1 / sqrt(d) is the gain of the query."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = Dense(width, width, gain=1 / math.sqrt(width // heads))
        self.key, self.value = Dense(width, width), Dense(width, width)
        self.write = Dense(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, tokens, width)."""
        query, key, value = (self.by_head(layer(x)) for layer in (self.query, self.key, self.value))
        shares = (query @ key.transpose(2, 3)).softmax(dim=-1)
        return cast(Tensor, self.write((shares @ value).transpose(1, 2).flatten(2)))

    def by_head(self, x: Tensor) -> Tensor:
        """Return (n, tokens, width) as (n, heads, tokens, width of a head)."""
        parts: Tensor = x.unflatten(2, (self.heads, -1))
        return parts.transpose(1, 2)


class Block(nn.Module):
    """Attention and two layers on each token, each behind a norm and beside a residual."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.before_attention, self.before_layers = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.wide, self.narrow = Dense(width, hidden), Dense(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, tokens, width)."""
        x = x + self.attention(self.before_attention(x))
        hidden = functional.gelu(self.wide(self.before_layers(x)))
        return cast(Tensor, x + self.narrow(hidden))


class Transformer(nn.Module):
    """Logits (n, classes) of images (n, c, h, w) that are already real numbers."""

    def __init__(self, shape: tuple[int, int, int], classes: int, given: Architecture) -> None:
        super().__init__()
        height, _, channels = shape
        self.stem = nn.ModuleList()
        for each in given.stem:
            self.stem.append(convolution(channels, each))
            height, channels = -(-height // each.stride), each.channels
        self.place = nn.Parameter(torch.empty(1, height * height, channels))
        nn.init.trunc_normal_(self.place, std=0.02)
        self.blocks = nn.ModuleList(
            Block(channels, given.heads, given.hidden) for _ in range(given.blocks)
        )
        self.norm, self.head = nn.LayerNorm(channels), Dense(channels, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        x = images
        for number, layer in enumerate(self.stem, start=1):
            x = layer(x)
            # What the blocks read has both signs.
            x = functional.relu(x) if number < len(self.stem) else x
        x = x.flatten(2).transpose(1, 2) + self.place
        for block in self.blocks:
            x = block(x)
        return cast(Tensor, self.head(self.norm(x).mean(dim=1)))

    @property
    def dense(self) -> list[Dense]:
        """All layers with weights, the first layer first, the head last."""
        return [each for each in self.modules() if isinstance(each, Dense)]

    def to_grids(self) -> None:
        """Put all weights on their integer grids from now on."""
        for layer in self.dense:
            layer.chip.on_grid = True

    @torch.no_grad()
    def renew_thresholds(self) -> None:
        """Recompute the digits of every filter; called once an epoch."""
        for layer in self.dense:
            layer.digits.renew(layer.original)


def convolution(inputs: int, given: Stem) -> Dense:
    """Return a convolution of the stem: patches side by side, or windows that overlap."""
    layer = Dense(inputs, given.channels, kernel=given.kernel, stride=given.stride)
    layer.padding = 0 if given.kernel == given.stride else layer.padding
    return layer


@torch.no_grad()
def plain(network: Transformer) -> Transformer:
    """Return a copy whose weights are the real values of their integers, for export."""
    copy = cast(Transformer, convert(network))
    for layer in copy.dense:
        layer.weight.mul_(layer.gain)
        layer.bias.mul_(layer.gain)
        layer.gain = 1.0
    return copy
