"""Random networks for the MRAM chip: modes, strides, pools, residuals, odd grids, heads."""

from typing import Any

import numpy as np

from hwgen.network import INPUT, FeatureMap, QuantizedNetwork
from tests.golden.drawn import Drawing

MODES = ("1.0x", "0.7x", "0.4x")
SAME = {"kernel": (3, 3), "padding": (1, 1, 1, 1)}


def images_of(network: QuantizedNetwork, count: int, *, seed: int) -> np.ndarray:
    """Return random images of the bits of the input."""
    feature = network.graph.input
    shape = (count, *feature.shape)
    values = np.random.default_rng(seed).integers(0, 1 << feature.bits, shape)
    return values.astype(np.uint8 if feature.bits <= 8 else np.uint16)


class Drawn(Drawing):
    """Draws networks whose image has any bits, and heads with any weights."""

    def image_bits(self, bits: int) -> None:
        """Set the bits of the image, before the first layer."""
        before = self._maps[INPUT]
        channels = (before.channels,) * len(self._modes)
        self._maps[INPUT] = self.map(before.height, before.width, channels, bits=bits, same=True)

    def map_of(self, name: str) -> FeatureMap:
        """Return a map."""
        return self._maps[name]


def chain(
    seed: int,
    *,
    channels: tuple[tuple[int, ...], ...],
    shape: tuple[int, int, int],
    modes: tuple[str, ...] = MODES,
    head: tuple[int, ...] | None = None,
    bits: int = 8,
    pooled: bool = True,
    **layer: Any,
) -> QuantizedNetwork:
    """Return convolutions of random windows one after the other, and a head."""
    net = Drawn(seed, modes=modes, shape=shape)
    net.image_bits(bits)
    now = INPUT
    for each in channels:
        now = net.conv(now, each, bits=bits, **(window(net, now) | layer))
    if pooled:
        now = net.average_pool(now, kernel=net.size(now), stride=(1, 1), padding=(0, 0, 0, 0))
    raw = 32 if bits <= 8 else 64
    weight_bits = layer.get("weight_bits", 8)
    return net.build(
        net.linear(now, head or (5,) * len(modes), bits=raw, weight_bits=max(2, weight_bits))
    )


def window(net: Drawn, source: str) -> dict[str, Any]:
    """Return a random window over a map."""
    height, width = net.size(source)
    kernel = tuple(int(net.rng.integers(1, min(3, side) + 1)) for side in (height, width))
    pads = [int(net.rng.integers(0, kernel[side % 2])) for side in range(4)]
    stride = tuple(int(value) for value in net.rng.integers(1, 3, 2))
    return {"kernel": kernel, "padding": tuple(pads), "stride": stride}


def residual(seed: int, *, widths: tuple[tuple[int, ...], ...], size: int) -> QuantizedNetwork:
    """Return two stages of residual blocks with shortcuts of option A, pools and a head."""
    modes = MODES[: len(widths[0])]
    net = Drawn(seed, modes=modes, shape=(size, size, 3))
    now = net.conv(INPUT, widths[0], **SAME)
    now = net.max_pool(now, kernel=(2, 2), stride=(1, 1), padding=(1, 0, 0, 1))
    for number, channels in enumerate(widths):
        stride = (2, 2) if number else (1, 1)
        inner = net.conv(now, channels, stride=stride, **SAME)
        inner = net.conv(inner, channels, **SAME)
        skip = net.shortcut(now, channels, stride=stride) if number else now
        now = net.add(skip, inner) if number else net.add(inner, skip)
    pooled = net.average_pool(now, kernel=net.size(now), stride=(1, 1), padding=(0, 0, 0, 0))
    return net.build(net.linear(pooled, (7,) * len(modes), bits=32))


def odd_additions(seed: int) -> QuantizedNetwork:
    """Return additions of every kind: projected, of pools, alone, of the input of a layer."""
    modes = MODES[:2]
    net = Drawn(seed, modes=modes, shape=(4, 8, 3))
    first = net.conv(INPUT, (4, 2), **SAME)
    left = net.conv(first, (4, 2), kernel=(1, 1))
    right = net.conv(first, (4, 2), **SAME)
    both = net.add(left, right)
    pooled = net.max_pool(first, kernel=(3, 3), stride=(1, 1), padding=(1, 1, 1, 1))
    alone = net.add(net.add(pooled, both), right)
    twice = net.add(both, alone)
    own = net.conv(twice, (4, 2), **SAME)
    own = net.add(own, twice)
    scaled = net.rescale(alone, bits=6)
    final = net.add(scaled, net.shortcut(own, (4, 2), stride=(1, 1)))
    return net.build(net.average_pool(final, kernel=(4, 4), stride=(1, 2), padding=(0, 0, 0, 0)))
