"""Random networks that use every operation: in three modes and odd sizes, or joined."""

import numpy as np

from hwgen.network import INPUT, QuantizedNetwork
from verif.common.drawing import Drawing, draw_images

__all__ = [
    "MODES",
    "Drawing",
    "draw_every_operation",
    "draw_images",
    "draw_joined",
    "draw_moved",
    "draw_tokens",
]

MODES = ("1.0x", "0.6x", "0.3x")


def draw_every_operation(seed: int, *, modes: tuple[str, ...] = MODES) -> QuantizedNetwork:
    """Return a network of up to three modes, odd sizes, every operation but `concatenate`."""
    rng = np.random.default_rng(seed)
    height, width = (int(value) for value in rng.choice([5, 7, 9], 2))
    net = Drawing(seed, modes=modes, shape=(height, width, 3))
    narrow, wide = ((10, 6, 3), (14, 9, 4)) if seed % 2 else ((5, 5, 2), (11, 3, 3))
    narrow, wide = narrow[: len(modes)], wide[: len(modes)]
    now = net.conv(INPUT, narrow, kernel=(3, 2), padding=(1, 0, 2, 1))
    now = net.conv(
        now,
        narrow,
        kernel=(3, 3),
        stride=(1, 2),
        padding=(1, 1, 1, 2),
        groups=narrow[0],
        weight_bits=3,
        weight_grid="odd",
    )
    now = net.table(now, bits=6)
    now = net.rescale(now, bits=12)
    now = net.max_pool(now, kernel=(2, 3), stride=(1, 1), padding=(1, 1, 0, 1))
    inner = net.conv(now, wide, stride=(2, 1), bits=5)
    now = net.add(net.shortcut(now, wide, stride=(2, 1)), inner, bits=8)
    pooled = net.average_pool(now, kernel=net.size(now), stride=(1, 1), padding=(0, 0, 0, 0))
    now = net.multiply(now, net.linear(pooled, wide, bits=7))
    now = net.average_pool(now, kernel=(2, 2), stride=(2, 1), padding=(1, 0, 1, 1))
    now = net.multiply(now, now)
    return net.build(net.linear(now, (5,) * len(modes), bits=32), now)


def draw_joined(seed: int) -> QuantizedNetwork:
    """Return a network of one mode with joined maps, groups, and sums above 32 bits."""
    net = Drawing(seed, modes=MODES[:1], shape=(5, 3, 4))
    first = net.conv(INPUT, (6,), kernel=(2, 2), padding=(1, 1, 0, 0), groups=2)
    second = net.conv(INPUT, (3,), kernel=(1, 3), padding=(0, 1, 0, 1), like=first)
    now = net.concatenate(first, second, first)
    now = net.conv(now, (4,), weight_bits=1, weight_grid="odd", bits=1)
    now = net.conv(now, (6,), kernel=(3, 3), bits=16, weight_bits=16)
    return net.build(net.linear(now, (7,), bits=64, weight_bits=11))


def draw_moved(seed: int) -> QuantizedNetwork:
    """Return a network of one mode with every rounding, and every kind that moves elements."""
    net = Drawing(seed, modes=MODES[:1], shape=(4, 6, 4))
    net.rounding = "float32"
    now = net.conv(INPUT, (2,), kernel=(3, 3), padding=(1, 1, 1, 1))
    now = net.average_pool(now, kernel=(3, 3), stride=(2, 2), padding=(1, 1, 0, 0), inside=True)
    net.rounding = "tflite"
    other = net.conv(now, (2,), kernel=(2, 1), padding=(1, 0, 0, 0))
    now = net.multiply(net.add(now, other), other)
    now = net.moved("upsample", now, shape=(4, 6, 2), factor=(2, 2), fill="repeat")
    now = net.moved("upsample", now, shape=(7, 16, 2), factor=(2, 3), fill="zero")
    net.rounding = "float32"
    now = net.table(net.add(now, net.rescale(now, bits=8)))
    now = net.moved("transpose", now, shape=(2, 7, 16), order=(2, 0, 1))
    now = net.moved("reshape", now, shape=(14, 1, 16))
    net.rounding = "half_up"
    now = net.average_pool(now, kernel=(2, 1), stride=(2, 1), padding=(0, 0, 0, 0), center=128)
    return net.build(net.linear(now, (5,)))


def draw_tokens(seed: int) -> QuantizedNetwork:
    """Return a transformer of one block: tokens behind a class token, two heads or one."""
    net = Drawing(seed, modes=MODES[:1], shape=(4, 3, 5))
    net.rounding = "half_up" if seed % 3 == 0 else "float32"
    heads = 1 + seed % 2
    now = net.conv(INPUT, (16,), kernel=(2, 2), padding=(0, 0, 0, 1))
    now = net.add(now, net.constant(like=now))
    now = net.stack(net.constant(like=now, height=1), now)
    norm = net.layer_norm(now, order="rms")
    query, key, value = (net.conv(norm, (8 * heads,)) for _ in range(3))
    scores = net.matmul(query, key, groups=heads, transposed=True)
    shares = net.softmax(scores, groups=heads, scale=(0.004, 0.05, 0.7)[seed % 3])
    mixed = net.matmul(shares, value, groups=heads, transposed=False)
    now = net.add(now, net.conv(mixed, (16,)))
    now = net.layer_norm(net.table(now))
    return net.build(net.linear(net.shortcut(now, (16,), stride=(5, 3)), (5,)))
