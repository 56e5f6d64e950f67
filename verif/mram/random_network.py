"""Random channel-adaptive networks of any bits, for a small chip and all its layers."""

from typing import Literal

from hwgen.network import INPUT, QuantizedNetwork
from verif.common.drawing import Drawing

ODD_GRID_BITS = 4
"""Weights of at most this many bits lie on DoReFa's odd grid."""

WEIGHTS_AND_MAPS = ((1, 1), (2, 4), (4, 4), (8, 8), (16, 16))
"""Bits of weights and of maps that the family promises to run."""

MODES = ("1.0x", "0.75x", "0.5x", "0.25x")
COUNTS = {
    4: (4, 3, 2, 1),
    8: (8, 6, 4, 2),
    16: (16, 12, 8, 4),
    20: (20, 15, 10, 5),
}
"""Channels in each mode by those of the widest."""


def draw_adaptive(
    weight_bits: int,
    map_bits: int,
    *,
    seed: int,
    side: int = 6,
    channels: int = 8,
    modes: int = len(MODES),
) -> QuantizedNetwork:
    """Return a network with convolutions, a residual block behind a shortcut, and both pools.

    weight_bits: of all layers with weights; map_bits: of the image and of all maps
    side: height and width of the image, even; channels: of the first layers, 4 or 8
    modes: the widest ones of MODES
    """
    grid: Literal["integer", "odd"] = "odd" if weight_bits <= ODD_GRID_BITS else "integer"
    narrow, wide = COUNTS[channels][:modes], COUNTS[2 * channels][:modes]
    net = Drawing(seed, modes=MODES[:modes], shape=(side, side, 3), bits=map_bits)

    def conv(source: str, counts: tuple[int, ...], stride: int = 1) -> str:
        return net.conv(
            source,
            counts,
            kernel=(3, 3),
            stride=(stride, stride),
            padding=(1, 1, 1, 1),
            bits=map_bits,
            weight_bits=weight_bits,
            weight_grid=grid,
        )

    now = conv(INPUT, narrow)
    first = net.add(conv(conv(now, narrow), narrow), now, bits=map_bits)
    inner = conv(conv(first, wide, stride=2), wide)
    now = net.add(inner, net.shortcut(first, wide, stride=(2, 2)), bits=map_bits)
    if side >= 8:
        now = net.max_pool(now, kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0))
    size = net.size(now)
    now = net.average_pool(now, kernel=size, stride=size, padding=(0, 0, 0, 0), bits=map_bits)
    raw = 32 if weight_bits + map_bits <= 17 else 64
    head = net.linear(now, (5,) * modes, bits=raw, weight_bits=weight_bits, weight_grid=grid)
    return net.build(head)
