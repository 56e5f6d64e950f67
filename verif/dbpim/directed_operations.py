"""Directed networks of the operations of the SIMD core, and of the ends of a network."""

import numpy as np

from hwgen.network import INPUT
from verif.dbpim.directed_corners import corner, fill_weights, finish
from verif.dbpim.network_builder import SIGNED, ByteRange, NetworkBuilder, Weights
from verif.dbpim.random_network import sigmoid, silu


def depthwise_weights(net: NetworkBuilder, source: str, size: int) -> Weights:
    """Return any int8 for each channel of `source` and each pixel of a square window."""
    channels = net.features[source].channels
    weights: Weights = net.rng.integers(-128, 128, (channels, size * size)).astype(np.int8)
    return weights


@corner((9, 10, 3), zero_point=77)
def unequal(net: NetworkBuilder) -> None:
    """Strides and paddings that differ by direction and side, of every kind of window."""
    weights = fill_weights(net, INPUT, [2] * 9, kernel=(3, 2))
    now = net.conv(INPUT, weights, kernel=(3, 2), stride=(1, 2), padding=(0, 1, 2, 0))
    now = net.max_pool(now, kernel=(2, 3), stride=(1, 2), padding=(1, 0, 0, 2))
    weights = depthwise_weights(net, now, 3)
    now = net.depthwise(now, weights, stride=(2, 1), padding=(2, 0, 1, 1), output=SIGNED)
    now = net.average_pool(now, kernel=(3, 2), stride=(2, 1), padding=(1, 1, 0, 0), output=SIGNED)
    finish(net, now)


@corner((8, 7, 5), zero_point=90)
def depthwise(net: NetworkBuilder) -> None:
    """Windows of 1, 3 and 5, strides of 1 and 2, channels that fill no word; a residual."""
    now = net.depthwise(INPUT, depthwise_weights(net, INPUT, 3), output=ByteRange(30, 30, 255))
    now = net.conv(now, fill_weights(net, now, [2] * 21, kernel=(1, 1)), kernel=(1, 1), padding=0)
    inner = net.depthwise(
        now, depthwise_weights(net, now, 5), kernel=(5, 5), padding=2, output=SIGNED
    )
    now = net.add(inner, now)
    now = net.depthwise(now, depthwise_weights(net, now, 3), stride=2, output=SIGNED)
    now = net.depthwise(now, depthwise_weights(net, now, 1), kernel=(1, 1), padding=0)
    finish(net, now)


@corner((6, 5, 3))
def squeeze_and_excite(net: NetworkBuilder) -> None:
    """A factor a channel: mean, two convolutions of one pixel, tables, and the product."""
    now = net.conv(INPUT, fill_weights(net, INPUT, [2] * 18), output=SIGNED)
    now = net.table(now, silu, output=ByteRange(12, 0, 255))
    inner = net.global_pool(now, output=ByteRange(20, 0, 255))
    for filters, function in ((5, silu), (18, sigmoid)):
        weights = fill_weights(net, inner, [2] * filters, kernel=(1, 1))
        inner = net.conv(inner, weights, kernel=(1, 1), padding=0, output=SIGNED)
        inner = net.table(inner, function)
    now = net.multiply(now, inner, output=ByteRange(12, 0, 255))
    now = net.multiply(now, net.rescale(now, output=SIGNED), output=SIGNED)
    finish(net, now)


@corner((5, 6, 2), zero_point=3)
def concatenated(net: NetworkBuilder) -> None:
    """Branches of 5, 3, 9 and 2 channels side by side: words of several maps."""
    first = net.conv(INPUT, fill_weights(net, INPUT, [2] * 5), output=SIGNED)
    others = [
        net.conv(INPUT, fill_weights(net, INPUT, [1, 2, 2] * n), output=SIGNED) for n in (1, 3)
    ]
    alike = [net.rescale(other, like=first) for other in (*others, INPUT)]
    now = net.concatenate(first, *alike)
    now = net.conv(now, fill_weights(net, now, [2] * 7, pruned_share=0.5))
    now = net.concatenate(now, net.max_pool(now, kernel=3, stride=1, padding=1), now)
    finish(net, now)


@corner((7, 6, 3), zero_point=50)
def shortcuts(net: NetworkBuilder) -> None:
    """Shortcuts that append channels, drop channels, and subsample by each direction alone."""
    first = net.conv(INPUT, fill_weights(net, INPUT, [2] * 5), output=ByteRange(9, 0, 255))
    inner = net.conv(first, fill_weights(net, first, [2] * 14), stride=2, output=SIGNED)
    now = net.add(inner, net.shortcut(first, 14), output=SIGNED)
    now = net.shortcut(now, 6, stride=(2, 1))
    now = net.shortcut(now, 11, stride=(1, 2))
    finish(net, now)


@corner((3, 4, 3), zero_point=70)
def growing_maps(net: NetworkBuilder) -> None:
    """Pixels repeated and zeros between pixels, by each direction alone, in several words."""
    first = net.conv(INPUT, fill_weights(net, INPUT, [2] * 19), output=ByteRange(60, 0, 255))
    now = net.upsample(net.upsample(first, (2, 1)), (1, 4))
    now = net.conv(now, fill_weights(net, now, [2] * 7), stride=2, output=SIGNED)
    now = net.upsample(net.upsample(now, (4, 2), zeros=True), (1, 2), zeros=True)
    filters = fill_weights(net, now, [2] * 9, kernel=(2, 2))
    now = net.conv(now, filters, kernel=(2, 2), padding=1, output=SIGNED)
    finish(net, now)


@corner((4, 3, 5))
def hidden_linear(net: NetworkBuilder) -> None:
    """Fully connected layers of bytes, over a map and over one pixel."""
    now = INPUT
    for filters in (37, 22):
        whole = net.features[now].shape[:2]
        weights = fill_weights(net, now, [2] * filters, kernel=whole, pruned_share=0.5)
        now = net.linear(now, weights)
    finish(net, now, classes=5)


@corner((5, 7, 3))
def answer_of_bytes(net: NetworkBuilder) -> None:
    """The answer is a map of bytes whose channels fill no word."""
    now = net.conv(INPUT, fill_weights(net, INPUT, [2] * 10))
    net.conv(now, fill_weights(net, now, [2] * 7), stride=2, output=SIGNED)


@corner((5, 4, 2))
def answer_of_a_table(net: NetworkBuilder) -> None:
    """The answer is one pixel of bytes from an operation without weights."""
    now = net.conv(INPUT, fill_weights(net, INPUT, [2] * 6), output=SIGNED)
    net.table(net.global_pool(now, output=SIGNED), sigmoid)


@corner((5, 4, 37), zero_point=128)
def many_channels(net: NetworkBuilder) -> None:
    """An image of more channels than a packed pixel has bytes."""
    now = net.conv(INPUT, fill_weights(net, INPUT, [2] * 8, pruned_share=0.5), output=SIGNED)
    now = net.concatenate(net.rescale(INPUT, like=now), now)
    finish(net, now)


@corner((17, 16, 3), zero_point=100)
def wide_stem(net: NetworkBuilder) -> None:
    """A first window of 11 x 11 at stride 4, and a mean over a large map."""
    now = net.max_pool(INPUT, kernel=2, stride=1)
    large = net.global_pool(now, output=SIGNED)
    weights = fill_weights(net, INPUT, [2] * 12, kernel=(11, 11), pruned_share=0.5)
    now = net.conv(INPUT, weights, kernel=(11, 11), stride=4, padding=5)
    weights = fill_weights(net, large, [2] * 12, kernel=(1, 1))
    factor = net.conv(large, weights, kernel=(1, 1), padding=0)
    finish(net, net.multiply(now, factor))


@corner((1, 1, 3))
def grown_pixel(net: NetworkBuilder) -> None:
    """Windows over one pixel whose padding makes a larger map."""
    now = net.max_pool(INPUT, kernel=(2, 3), stride=1, padding=(1, 2, 0, 2))
    weights = depthwise_weights(net, now, 3)
    now = net.depthwise(now, weights, stride=(1, 2), output=SIGNED)
    now = net.global_pool(now, output=SIGNED)
    now = net.average_pool(now, kernel=(3, 2), stride=(2, 1), padding=(2, 1, 2, 1))
    finish(net, now)
