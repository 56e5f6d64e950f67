"""Networks of random weights in the shapes of known ones: for chips and compilers, not for images.

Half of the blocks of each layer are pruned, every filter has phi 1 or 2; depthwise weights are any
int8. `width` scales the channels, as in training.

    python -m verif.dbpim.known_networks FOLDER WIDTH [NAME]...

writes network files, and `images.npz` with the random images that run on them.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import save_network
from verif.dbpim.network_builder import (
    RELU,
    SIGNED,
    ByteRange,
    NetworkBuilder,
    Weights,
    draw_images,
)
from verif.dbpim.random_network import sigmoid, silu
from verif.dbpim.random_weights import draw_weights

PRUNED_SHARE = 0.5
CHANNEL_STEP = 8
SIDE = 32
IMAGES = 16
"""In a file of images: those of the largest batch."""
SILU_RANGE = ByteRange(12, 0, 255)

RESNET20 = ((16, 3), (32, 3), (64, 3))
VGG19 = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
RESNET18 = ((64, 2), (128, 2), (256, 2), (512, 2))
MOBILENETV2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
EFFICIENTNETB0 = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Stages: (expansion,) channels, layers (, stride of the first, kernel)."""


class Shapes:
    """A builder in which sizes follow from names of layers; each method returns a map's name."""

    def __init__(self, name: str, *, width: float, seed: int, images: int) -> None:
        shape = (SIDE, SIDE, 3)
        self.net = NetworkBuilder(name=name, shape=shape, seed=seed, zero_point=120, images=images)
        self.width = width

    def scaled(self, channels: int) -> int:
        """Return published channels times `width`, in steps of 8."""
        if self.width == 1:
            return channels
        return max(1, round(channels * self.width / CHANNEL_STEP)) * CHANNEL_STEP

    def channels(self, source: str) -> int:
        """Return the channels of a map."""
        return self.net.features[source].channels

    def weights(self, filters: int, k: int) -> Weights:
        """Return pruned filters, one in five of phi 1."""
        phis = self.net.rng.choice([1, 2], filters, p=[0.2, 0.8])
        return draw_weights(self.net.rng, phis=phis, k=k, pruned_share=PRUNED_SHARE)

    def conv(
        self,
        source: str,
        channels: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        output: ByteRange = RELU,
    ) -> str:
        """Append a convolution that keeps the size of its map at stride 1."""
        weights = self.weights(channels, kernel * kernel * self.channels(source))
        size, padding = (kernel, kernel), kernel // 2
        return self.net.conv(
            source, weights, kernel=size, stride=stride, padding=padding, output=output
        )

    def depthwise(self, source: str, *, kernel: int, stride: int, output: ByteRange = RELU) -> str:
        """Append a convolution of each channel alone."""
        shape = (self.channels(source), kernel * kernel)
        weights = self.net.rng.integers(-128, 128, shape).astype(np.int8)
        size, padding = (kernel, kernel), kernel // 2
        return self.net.depthwise(
            source, weights, kernel=size, stride=stride, padding=padding, output=output
        )

    def linear(self, source: str, channels: int, *, head: bool = False) -> str:
        """Append a fully connected layer."""
        weights = self.weights(channels, int(np.prod(self.net.features[source].shape)))
        return self.net.linear(source, weights, head=head)


def resnet20(shapes: Shapes, classes: int) -> None:
    """ResNet20 of CIFAR-10, with shortcuts that append channels of zero."""
    now = shapes.conv(INPUT, shapes.scaled(16))
    for stage, (published, blocks) in enumerate(RESNET20):
        channels = shapes.scaled(published)
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            inner = shapes.conv(now, channels, stride=stride)
            inner = shapes.conv(inner, channels, output=SIGNED)
            if stride > 1:
                now = shapes.net.shortcut(now, channels, stride=stride)
            now = shapes.net.add(inner, now)
    shapes.linear(shapes.net.global_pool(now), classes, head=True)


def resnet18(shapes: Shapes, classes: int) -> None:
    """ResNet18 of CIFAR-100, with projections."""
    now = shapes.conv(INPUT, shapes.scaled(64))
    for stage, (published, blocks) in enumerate(RESNET18):
        channels = shapes.scaled(published)
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            inner = shapes.conv(now, channels, stride=stride)
            inner = shapes.conv(inner, channels, output=SIGNED)
            if stride > 1:
                now = shapes.conv(now, channels, kernel=1, stride=stride, output=SIGNED)
            now = shapes.net.add(inner, now)
    shapes.linear(shapes.net.global_pool(now), classes, head=True)


def alexnet(shapes: Shapes, classes: int) -> None:
    """AlexNet of CIFAR-100, with two hidden layers of 4096."""
    now = shapes.conv(INPUT, shapes.scaled(64), kernel=11, stride=4)
    now = shapes.net.max_pool(now, kernel=2, stride=2)
    now = shapes.conv(now, shapes.scaled(192), kernel=5)
    now = shapes.net.max_pool(now, kernel=2, stride=2)
    for channels in (384, 256, 256):
        now = shapes.conv(now, shapes.scaled(channels))
    now = shapes.net.max_pool(now, kernel=2, stride=2)
    for _ in range(2):
        now = shapes.linear(now, shapes.scaled(4096))
    shapes.linear(now, classes, head=True)


def vgg19(shapes: Shapes, classes: int) -> None:
    """VGG19 of CIFAR-100, with one fully connected layer."""
    now = INPUT
    for channels, convs in VGG19:
        for _ in range(convs):
            now = shapes.conv(now, shapes.scaled(channels))
        now = shapes.net.max_pool(now, kernel=2, stride=2)
    shapes.linear(now, classes, head=True)


def mobilenetv2(shapes: Shapes, classes: int) -> None:
    """MobileNetV2 of CIFAR-100."""
    now = shapes.conv(INPUT, shapes.scaled(32))
    for expansion, published, blocks, stride in MOBILENETV2:
        channels = shapes.scaled(published)
        for block in range(blocks):
            step = 1 if block else stride
            inner = shapes.conv(now, expansion * shapes.channels(now), kernel=1)
            inner = shapes.depthwise(inner, kernel=3, stride=step)
            inner = shapes.conv(inner, channels, kernel=1, output=SIGNED)
            if step == 1:
                if shapes.channels(now) != channels:
                    now = shapes.conv(now, channels, kernel=1, output=SIGNED)
                inner = shapes.net.add(inner, now, output=SIGNED)
            now = inner
    now = shapes.conv(now, shapes.scaled(1280), kernel=1)
    shapes.linear(shapes.net.global_pool(now), classes, head=True)


def efficientnetb0(shapes: Shapes, classes: int) -> None:
    """EfficientNetB0 of CIFAR-100."""
    net = shapes.net

    def with_silu(source: str) -> str:
        return net.table(source, silu, output=SILU_RANGE)

    now = with_silu(shapes.conv(INPUT, shapes.scaled(32), output=SIGNED))
    for expansion, published, blocks, stride, kernel in EFFICIENTNETB0:
        channels = shapes.scaled(published)
        for block in range(blocks):
            step, inputs, inner = (1 if block else stride), shapes.channels(now), now
            if expansion > 1:
                expanded = shapes.conv(now, expansion * inputs, kernel=1, output=SIGNED)
                inner = with_silu(expanded)
            inner = shapes.depthwise(inner, kernel=kernel, stride=step, output=SIGNED)
            inner = with_silu(inner)
            factor = net.global_pool(inner, output=SIGNED)
            factor = shapes.conv(factor, max(1, inputs // 4), kernel=1, output=SIGNED)
            factor = with_silu(factor)
            factor = shapes.conv(factor, shapes.channels(inner), kernel=1, output=SIGNED)
            inner = net.multiply(inner, net.table(factor, sigmoid), output=SILU_RANGE)
            inner = shapes.conv(inner, channels, kernel=1, output=SIGNED)
            if step == 1 and inputs == channels:
                inner = net.add(inner, now, output=SIGNED)
            now = inner
    now = with_silu(shapes.conv(now, shapes.scaled(1280), kernel=1, output=SIGNED))
    shapes.linear(net.global_pool(now), classes, head=True)


KNOWN: dict[str, tuple[Callable[[Shapes, int], None], int]] = {
    "resnet20": (resnet20, 10),
    "alexnet": (alexnet, 100),
    "vgg19": (vgg19, 100),
    "resnet18": (resnet18, 100),
    "mobilenetv2": (mobilenetv2, 100),
    "efficientnetb0": (efficientnetb0, 100),
}
"""Each network with the number of its classes."""


def known_network(
    name: str, *, width: float = 1.0, seed: int = 1, images: int = 2
) -> QuantizedNetwork:
    """Return a network of random weights; images: random ones on which its maps are scaled."""
    fill, classes = KNOWN[name]
    shapes = Shapes(f"random {name}", width=width, seed=seed, images=images)
    fill(shapes, classes)
    return shapes.net.build()


def main(arguments: Sequence[str]) -> None:
    """Write networks and images; arguments: folder, width, names of networks (none: all)."""
    folder, width = Path(arguments[0]), float(arguments[1])
    for name in arguments[2:] or KNOWN:
        save_network(known_network(name, width=width), folder / f"{name}.npz")
    images = draw_images(np.random.default_rng(1), (SIDE, SIDE, 3), IMAGES)
    np.savez(folder / "images.npz", images=images)


if __name__ == "__main__":
    main(sys.argv[1:])
