"""Networks made for one corner each; `directed(name)` builds one."""

import numpy as np

from hwgen.network import INPUT
from hwgen.network.quantization import MULTIPLIER_HIGH, MULTIPLIER_LOW, SHIFT_HIGH, SHIFT_LOW
from verif.dbpim import directed_operations
from verif.dbpim.directed_corners import DIRECTED, corner, directed, fill_weights, finish
from verif.dbpim.network_builder import RELU, SIGNED, ByteRange, NetworkBuilder, Scaling
from verif.reference.dbpim.csd import values_of_phi

__all__ = ["DIRECTED", "directed", "directed_operations"]


@corner((5, 5, 3))
def mixed_phi(net: NetworkBuilder) -> None:
    """Filters of phi 0, 1 and 2 in one group, exact and loose."""
    now = net.conv(
        INPUT, fill_weights(net, INPUT, [0, 1, 2, 2, 1, 0, 1, 2, 1, 2], pruned_share=0.4)
    )
    phis = [2, 0, 1, 0, 2, 1, 1, 2, 2]
    now = net.conv(now, fill_weights(net, now, phis, pruned_share=0.5, loose_share=0.5))
    finish(net, now)


@corner((4, 4, 2))
def all_masked_group(net: NetworkBuilder) -> None:
    """The first, middle or last group of 8 filters is masked; one filter beside is all zero."""
    now = INPUT
    for dead in range(3):
        weights = fill_weights(net, now, [2] * 24, pruned_share=0.5)
        weights[8 * dead : 8 * dead + 8] = 0
        weights[(8 * dead + 11) % 24] = 0
        now = net.conv(now, weights)
    finish(net, now)


@corner((4, 4, 2))
def all_masked_layer(net: NetworkBuilder) -> None:
    """A layer without any weight: the bias alone, at every position."""
    now = net.conv(INPUT, fill_weights(net, INPUT, [2] * 8))
    now = net.conv(now, np.zeros((8, 72), np.int8))
    finish(net, now)


@corner((6, 6, 3), zero_point=131)
def zero_points(net: NetworkBuilder) -> None:
    """No zero point is 0: image, padding, residual, both pools."""
    first = net.conv(INPUT, fill_weights(net, INPUT, [2] * 8), output=ByteRange(7, 7, 255))
    now = net.conv(first, fill_weights(net, first, [2] * 8), output=ByteRange(120, 0, 255))
    now = net.add(now, first, output=ByteRange(9, 9, 240))
    now = net.max_pool(now, kernel=3, stride=2, padding=1)
    now = net.conv(now, fill_weights(net, now, [1, 2] * 4), output=ByteRange(200, 5, 250))
    now = net.average_pool(now, kernel=(2, 2), stride=1, output=ByteRange(33, 0, 255))
    finish(net, now)


@corner((3, 3, 4))
def extremes(net: NetworkBuilder) -> None:
    """Largest weights, multipliers, shifts and biases: sums clip at both ends."""
    rows = [[96] * 36, [-96] * 36, [127] * 36, [-128] * 36, [127, -128] * 18, [-127, 96] * 18]
    weights = np.array([*rows, [64] * 36, [-1] * 36], np.int8)
    limit = (1 << 31) - 1 - 36 * 255 * 128
    ends = Scaling(
        bias=[0, 0, limit, -limit, 1, -1, -limit, limit],
        multiplier=[MULTIPLIER_HIGH, MULTIPLIER_LOW] * 4,
        shift=[SHIFT_LOW, SHIFT_LOW, SHIFT_HIGH, SHIFT_HIGH, 20, 24, SHIFT_HIGH, SHIFT_HIGH],
    )
    now = net.conv(INPUT, weights, output=SIGNED, scaling=ends)
    now = net.conv(now, weights[:, [0, 1] * 36], output=ByteRange(10, 3, 250))
    finish(net, now)


@corner((3, 4, 1))
def narrow(net: NetworkBuilder) -> None:
    """One to three channels: narrower than a filter group, a word and a chip."""
    now = net.conv(INPUT, fill_weights(net, INPUT, [2]))
    now = net.conv(now, fill_weights(net, now, [1, 2, 2]))
    now = net.conv(now, fill_weights(net, now, [2], kernel=(1, 1)), kernel=(1, 1), padding=0)
    finish(net, now, classes=2)


@corner((1, 1, 1))
def one_pixel(net: NetworkBuilder) -> None:
    """An image of one byte, through every kind of layer."""
    first = net.conv(INPUT, fill_weights(net, INPUT, [2, 1, 2, 1]))
    now = net.conv(first, fill_weights(net, first, [2] * 4), stride=2, output=SIGNED)
    now = net.add(now, first)
    now = net.max_pool(now, kernel=3, stride=2, padding=1)
    now = net.average_pool(now, kernel=(1, 1), stride=1)
    finish(net, now)


@corner((7, 5, 3))
def tails(net: NetworkBuilder) -> None:
    """No size divides another: positions, channels, filters and k all have remainders."""
    now = net.conv(INPUT, fill_weights(net, INPUT, [2] * 11, pruned_share=0.3))
    now = net.conv(now, fill_weights(net, now, [2] * 19, pruned_share=0.6))
    now = net.conv(now, fill_weights(net, now, [2, 1] * 5, kernel=(1, 1)), kernel=(1, 1), padding=0)
    finish(net, now, classes=13)


@corner((9, 8, 2))
def windows(net: NetworkBuilder) -> None:
    """Oblong and large kernels, strides of 2 to 4, wide borders, a head that is a convolution."""
    weights = fill_weights(net, INPUT, [2] * 4, kernel=(5, 3))
    now = net.conv(INPUT, weights, kernel=(5, 3), stride=2, padding=2)
    weights = fill_weights(net, now, [2] * 4, kernel=(4, 5))
    now = net.conv(now, weights, kernel=(4, 5), padding=3)
    weights = fill_weights(net, now, [2] * 8, kernel=(2, 2))
    now = net.conv(now, weights, kernel=(2, 2), stride=3, padding=1)
    weights = fill_weights(net, now, [2] * 8)
    now = net.conv(now, weights, stride=4, padding=2)
    whole = net.features[now].shape[:2]
    weights = fill_weights(net, now, [2] * 4, kernel=whole)
    net.conv(now, weights, kernel=whole, padding=0, head=True)


@corner((8, 7, 4))
def pools(net: NetworkBuilder) -> None:
    """Pools that overlap, with remainders, with padding, oblong, and over the whole map."""
    now = net.max_pool(INPUT, kernel=3, stride=1, padding=1)
    now = net.average_pool(now, kernel=(2, 3), stride=1)
    now = net.max_pool(now, kernel=2, stride=2)
    now = net.conv(now, fill_weights(net, now, [2] * 9), output=SIGNED)
    now = net.max_pool(now, kernel=2, stride=1, padding=1)
    now = net.average_pool(now, kernel=net.features[now].shape[:2], stride=1, output=SIGNED)
    finish(net, now)


@corner((4, 4, 3))
def residuals(net: NetworkBuilder) -> None:
    """Chained residuals of scales that differ much, one of a stride, one after a pool."""
    now = net.conv(INPUT, fill_weights(net, INPUT, [2] * 8))
    for output in (RELU, SIGNED):
        inner = net.conv(now, fill_weights(net, now, [2] * 8, pruned_share=0.5), output=output)
        now = net.add(inner, now, output=output)
    inner = net.conv(now, fill_weights(net, now, [2] * 12), stride=2, output=SIGNED)
    weights = fill_weights(net, now, [2] * 12, kernel=(1, 1))
    now = net.add(inner, net.conv(now, weights, kernel=(1, 1), stride=2, padding=0))
    now = net.add(net.max_pool(now, kernel=3, stride=1, padding=1), now)
    finish(net, now)


@corner((2, 2, 2))
def deep(net: NetworkBuilder) -> None:
    """Twelve layers on a small map."""
    now = INPUT
    for _ in range(11):
        now = net.conv(now, fill_weights(net, now, [2, 1, 2, 2], pruned_share=0.3))
    finish(net, now)


@corner((2, 2, 1))
def head_alone(net: NetworkBuilder) -> None:
    """Nothing but the head; classes 1 and 3 always have the same, largest logit."""
    weights = fill_weights(net, INPUT, [2] * 5, kernel=(2, 2))
    weights[3] = weights[1]
    bias = [0, 1 << 20, 0, 1 << 20, -(1 << 20)]
    scaling = Scaling(bias, [MULTIPLIER_LOW] * 5, [SHIFT_LOW] * 5)
    net.linear(INPUT, weights, scaling=scaling, head=True)


@corner((4, 4, 3))
def all_two_digit_values(net: NetworkBuilder) -> None:
    """Every int8 of at most two digits is a weight, so that every pair of cells occurs."""
    members = np.concatenate([values_of_phi(phi) for phi in range(3)])
    k = 27
    weights = np.resize(net.rng.permutation(members), (8, k)).astype(np.int8)
    now = net.conv(INPUT, weights, output=SIGNED)
    finish(net, now)


@corner((5, 4, 3))
def any_weights(net: NetworkBuilder) -> None:
    """Every int8 value, up to four digits."""
    weights = np.resize(np.arange(-128, 128), (10, 27)).astype(np.int8)
    now = net.conv(INPUT, weights, output=SIGNED)
    now = net.conv(now, fill_weights(net, now, [4, 3, 2, 4, 3, 1, 0, 4]))
    finish(net, now)


@corner((5, 4, 3))
def mixed_digits(net: NetworkBuilder) -> None:
    """Filters of phi 0 to 4 in one group, groups of two digits beside; every input walked twice."""
    phis = [4, 0, 1, 2, 3, 1, 2, 0, *[2] * 8, 1, 3, 1]
    now = net.conv(INPUT, fill_weights(net, INPUT, phis, pruned_share=0.3))
    now = net.conv(now, fill_weights(net, now, phis, pruned_share=0.5, loose_share=0.5))
    weights = fill_weights(net, now, [4] * 8, kernel=(1, 1))
    now = net.conv(now, weights, kernel=(1, 1), padding=0)
    finish(net, now)
