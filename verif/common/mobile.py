"""Shapes of published networks for small devices, with drawn weights.

    python -m verif.common.mobile FOLDER [NAME]...

writes network files.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import save_network
from verif.common.drawing import Drawing

Window = tuple[int, int]
MOBILENET_V1 = (
    (16, 1),
    *((32, 2), (32, 1)),
    *((64, 2), (64, 1)),
    *((128, 2), *((128, 1),) * 5),
    *((256, 2), (256, 1)),
)
"""Channels and stride of each block of MobileNetV1 0.25."""
MOBILENET_V2 = (
    *((1, 8, 1), (6, 8, 2), (6, 8, 1)),
    *((6, 8, 2), *((6, 8, 1),) * 2),
    *((6, 16, 2), *((6, 16, 1),) * 3),
    *((6, 24, 1),) * 3,
    *((6, 40, 2), *((6, 40, 1),) * 2),
    (6, 80, 1),
)
"""Expansion, channels and stride of each block of MobileNetV2 0.25."""


class Mobile:
    """A network of one mode whose layers follow each other."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.net, self.now = Drawing(1, modes=("1.0x",), shape=shape), INPUT

    def conv(self, channels: int, kernel: Window = (1, 1), stride: Window = (1, 1)) -> None:
        """Append a convolution with as much padding as keeps the size at stride 1."""
        self._conv(channels, kernel, stride, groups=1)

    def depthwise(self, stride: int) -> None:
        """Append kernels of 3 x 3, one for each channel."""
        (channels,) = self.net.channels(self.now)
        self._conv(channels, (3, 3), (stride, stride), groups=channels)

    def _conv(self, channels: int, kernel: Window, stride: Window, *, groups: int) -> None:
        before = [(taps - 1) // 2 for taps in kernel]
        after = [taps - 1 - first for taps, first in zip(kernel, before, strict=True)]
        padding = before[0], before[1], after[0], after[1]
        self.now = self.net.conv(
            self.now, (channels,), kernel=kernel, stride=stride, padding=padding, groups=groups
        )

    def head(self, classes: int) -> QuantizedNetwork:
        """Append a mean over the map, and a layer of sums; return the network."""
        size = self.net.size(self.now)
        mean = self.net.average_pool(self.now, kernel=size, stride=(1, 1), padding=(0, 0, 0, 0))
        return self.net.build(self.net.linear(mean, (classes,), bits=32))


def mobilenet_v1(side: int = 32) -> QuantizedNetwork:
    """Return MobileNetV1 0.25, whose first layer has stride 1 as for small images."""
    net = Mobile((side, side, 3))
    net.conv(8, (3, 3))
    for channels, stride in MOBILENET_V1:
        net.depthwise(stride)
        net.conv(channels)
    return net.head(10)


def mobilenet_v2(side: int = 32) -> QuantizedNetwork:
    """Return MobileNetV2 0.25, the last layer included, whose first layer has stride 2."""
    net = Mobile((side, side, 3))
    net.conv(8, (3, 3), (2, 2))
    for expansion, channels, stride in MOBILENET_V2:
        source, before = net.now, net.net.channels(net.now)[0]
        if expansion > 1:
            net.conv(expansion * before)
        net.depthwise(stride)
        net.conv(channels)
        if stride == 1 and channels == before:
            net.now = net.net.add(net.now, source)
    net.conv(320)
    return net.head(10)


def ds_cnn() -> QuantizedNetwork:
    """Return the DS-CNN of MLPerf Tiny: 49 x 10 features, 64 channels, four blocks."""
    net = Mobile((49, 10, 1))
    net.conv(64, (10, 4), (2, 2))
    for _ in range(4):
        net.depthwise(1)
        net.conv(64)
    return net.head(12)


def autoencoder() -> QuantizedNetwork:
    """Return the autoencoder of MLPerf Tiny: 640 features through 8 to 640."""
    net = Mobile((1, 1, 640))
    for channels in (*(128,) * 4, 8, *(128,) * 4):
        net.conv(channels)
    return net.net.build(net.net.linear(net.now, (640,)))


NETWORKS: dict[str, Callable[[], QuantizedNetwork]] = {
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
    "ds_cnn": ds_cnn,
    "autoencoder": autoencoder,
}


def main(arguments: Sequence[str]) -> None:
    """Write networks; arguments: folder, names (none: all)."""
    folder = Path(arguments[0])
    for name in arguments[1:] or NETWORKS:
        save_network(NETWORKS[name](), folder / f"{name}.npz")


if __name__ == "__main__":
    main(sys.argv[1:])
