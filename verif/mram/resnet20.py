"""ResNet20 in four widths with random weights: for chips and compilers, not for images.

    python -m verif.mram.resnet20 FOLDER

writes the network file, and `images.npz` with the random images that run on it.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import save_network
from verif.common.drawing import Drawing, draw_images

WIDTHS = (1.0, 0.75, 0.5, 0.25)
STAGES = (16, 32, 64)
"""Channels of the stages in the widest mode."""
BLOCKS = 3
SAME: dict[str, Any] = {"kernel": (3, 3), "padding": (1, 1, 1, 1)}
IMAGES = 4
"""In the file of images."""


def resnet20() -> QuantizedNetwork:
    """Return a network of ResNet20's shape with random weights."""
    net = Drawing(1, modes=tuple(f"{width}x" for width in WIDTHS), shape=(32, 32, 3))
    now = net.conv(INPUT, channels_of(STAGES[0]), **SAME)
    for stage, count in enumerate(STAGES):
        for block in range(BLOCKS):
            stride = (2, 2) if stage and not block else (1, 1)
            inner = net.conv(now, channels_of(count), stride=stride, **SAME)
            inner = net.conv(inner, channels_of(count), **SAME)
            skip = now if stride == (1, 1) else net.shortcut(now, channels_of(count), stride=stride)
            now = net.add(inner, skip)
    pooled = net.average_pool(now, kernel=net.size(now), stride=(1, 1), padding=(0, 0, 0, 0))
    return net.build(net.linear(pooled, (10,) * len(WIDTHS), bits=32))


def channels_of(count: int) -> tuple[int, ...]:
    """Return the channels of each mode."""
    return tuple(int(count * width) for width in WIDTHS)


def main(arguments: Sequence[str]) -> None:
    """Write network and images; arguments: the folder."""
    folder, network = Path(arguments[0]), resnet20()
    save_network(network, folder / "resnet20.npz")
    np.savez(folder / "images.npz", images=draw_images(network, IMAGES, seed=1))


if __name__ == "__main__":
    main(sys.argv[1:])
