"""A zoo of architectures, small but with every kind of node that their authors' files have."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.parts import (
    ConvNeXt,
    Fire,
    Gate,
    Inverted,
    Residual,
    Shuffled,
    conv_norm,
    head,
    shuffled,
)

CLASSES = 10


def resnet() -> nn.Module:
    """ResNet of basic blocks."""

    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        body = nn.Sequential(
            conv_norm(inputs, outputs, stride=stride, activation=nn.ReLU()),
            conv_norm(outputs, outputs),
        )
        side = conv_norm(inputs, outputs, 1, stride=stride) if stride > 1 else None
        return Residual(body, side)

    return nn.Sequential(
        conv_norm(3, 16, activation=nn.ReLU()), block(16, 16, 1), block(16, 32, 2), head(32)
    )


def unfolded() -> nn.Module:
    """ResNet of preactivated bottlenecks: batch norm stands before what it could fold into."""
    body = nn.Sequential(
        *(nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 8, 1, bias=False)),
        *(nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1, bias=False)),
        *(nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 1, bias=False)),
    )
    stem = nn.Conv2d(3, 16, 3, padding=1)
    return nn.Sequential(stem, Residual(body, relu=False), nn.BatchNorm2d(16), nn.ReLU(), head(16))


def vgg(inputs: int = 3, side: int = 32) -> nn.Module:
    """VGG with batch norm and dropout."""
    layers: list[nn.Module] = []
    values = 64 * (side // 8) ** 2
    for outputs in (16, 32, 64):
        layers += [conv_norm(inputs, outputs, activation=nn.ReLU()), nn.MaxPool2d(2)]
        inputs = outputs
    return nn.Sequential(
        *layers,
        *(nn.Flatten(), nn.Linear(values, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, CLASSES)),
    )


def mobilenet_v2(inputs: int = 3) -> nn.Module:
    """MobileNetV2: inverted residuals with ReLU6."""
    return nn.Sequential(
        conv_norm(inputs, 16, activation=nn.ReLU6()),
        Inverted(16, 48, 24, stride=2),
        Inverted(24, 72, 24),
        Inverted(24, 72, 32, stride=2),
        conv_norm(32, 64, 1, activation=nn.ReLU6()),
        head(64),
    )


def mobilenet_v3() -> nn.Module:
    """MobileNetV3: hard swish, and gates with a hard sigmoid."""
    return nn.Sequential(
        conv_norm(3, 16, stride=2, activation=nn.Hardswish()),
        Inverted(16, 32, 16, activation=nn.ReLU, gate=Gate(32, 8, nn.ReLU(), nn.Hardsigmoid())),
        Inverted(16, 48, 24, kernel=5, stride=2, activation=nn.Hardswish),
        *(nn.AdaptiveAvgPool2d(1), nn.Conv2d(24, 32, 1), nn.Hardswish(), nn.Flatten()),
        nn.Linear(32, CLASSES),
    )


def shufflenet() -> nn.Module:
    """ShuffleNetV2: channels are split, concatenated and shuffled."""
    stem = conv_norm(3, 16, stride=2, activation=nn.ReLU())
    return nn.Sequential(stem, Widened(16, 32), Shuffled(32), Shuffled(32), head(32))


class Widened(nn.Module):
    """The unit of ShuffleNetV2 that halves the map."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        half = outputs // 2
        self.left = nn.Sequential(
            conv_norm(inputs, inputs, stride=2, groups=inputs),
            conv_norm(inputs, half, 1, activation=nn.ReLU()),
        )
        self.right = nn.Sequential(
            conv_norm(inputs, half, 1, activation=nn.ReLU()),
            conv_norm(half, half, stride=2, groups=half),
            conv_norm(half, half, 1, activation=nn.ReLU()),
        )

    def forward(self, x: Tensor) -> Tensor:
        return shuffled(torch.cat([self.left(x), self.right(x)], dim=1))


def squeezenet() -> nn.Module:
    """SqueezeNet: fire units, a head of convolutions, rounded-up poolings."""
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)),
        *(Fire(16, 8, 16), Fire(32, 8, 16), nn.MaxPool2d(3, 2, ceil_mode=True)),
        *(nn.Dropout(), nn.Conv2d(32, CLASSES, 1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )


def efficientnet() -> nn.Module:
    """EfficientNet: SiLU, and gates with a sigmoid."""

    def block(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
        gate = Gate(4 * inputs, 4, nn.SiLU(), nn.Sigmoid())
        sizes = {"kernel": kernel, "stride": stride}
        return Inverted(inputs, 4 * inputs, outputs, activation=nn.SiLU, gate=gate, **sizes)

    return nn.Sequential(
        conv_norm(3, 8, stride=2, activation=nn.SiLU()),
        *(block(8, 16, 3, 1), block(16, 16, 5, 1), block(16, 24, 3, 2)),
        *(conv_norm(24, 32, 1, activation=nn.SiLU()), head(32)),
    )


class Detector(nn.Module):
    """A small detector: two heads on a pyramid, the lower one reads an enlarged map, too."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            conv_norm(3, 16, stride=2, activation=nn.SiLU()),
            conv_norm(16, 32, stride=2, activation=nn.SiLU()),
        )
        self.down = conv_norm(32, 64, stride=2, activation=nn.SiLU())
        self.fused = conv_norm(96, 32, activation=nn.SiLU())
        self.low, self.high = nn.Conv2d(32, 15, 1), nn.Conv2d(64, 15, 1)

    def forward(self, x: Tensor) -> Tensor:
        low = self.stem(x)
        high = self.down(low)
        large = functional.interpolate(high, scale_factor=2.0, mode="nearest")
        low = self.fused(torch.cat([low, large], dim=1))
        parts = [self.low(low).flatten(2), self.high(high).flatten(2)]
        return torch.cat(parts, dim=2).sigmoid()


def convnext() -> nn.Module:
    """ConvNeXt: layer norm, fully connected layers over pixels, GELU, a scale by channel."""
    return nn.Sequential(nn.Conv2d(3, 16, 4, stride=4), ConvNeXt(16), ConvNeXt(16), head(16))


def gelu() -> nn.Module:
    """Convolutions with GELU in both of its forms, and other functions of one element."""
    return nn.Sequential(
        *(conv_norm(3, 16, activation=nn.GELU()), conv_norm(16, 16, activation=nn.Mish())),
        *(conv_norm(16, 16, stride=2, activation=nn.GELU(approximate="tanh")), nn.Conv2d(16, 8, 1)),
        *(nn.ELU(), head(8)),
    )


def factorized() -> nn.Module:
    """Windows of 1 x 7 and 7 x 1, as Inception has them, and one stride for rows alone."""
    return nn.Sequential(
        *(nn.Conv2d(3, 16, (1, 7), padding=(0, 3)), nn.ReLU()),
        *(nn.Conv2d(16, 16, (7, 1), padding=(3, 0), stride=(2, 1)), nn.ReLU()),
        *(nn.MaxPool2d((1, 2)), head(16)),
    )


def dilated() -> nn.Module:
    """Dilated windows beside each other, as DeepLab has them."""
    return nn.Sequential(
        conv_norm(3, 16, stride=2, activation=nn.ReLU()),
        nn.Conv2d(16, 16, 3, padding=2, dilation=2),
        *(nn.ReLU(), nn.Conv2d(16, 16, 3, padding=4, dilation=4), nn.ReLU(), head(16)),
    )


def keywords() -> nn.Module:
    """A depthwise separable network on a map of 49 x 10, as keyword spotting has it."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, (10, 4), stride=(2, 2), padding=(5, 1)), nn.ReLU()),
        conv_norm(16, 16, groups=16, activation=nn.ReLU()),
        *(conv_norm(16, 16, 1, activation=nn.ReLU()), head(16)),
    )


class Gated(nn.Module):
    """The product of two halves of a map, as gated linear units have it."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.head = nn.Conv2d(3, 32, 3, padding=1), head(16)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.wide(x).split(16, dim=1)
        return self.head(value * torch.sigmoid(gate))


class RowsFirst(nn.Module):
    """A network that reads images channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.body = resnet()

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.permute(0, 3, 1, 2))


def autoencoder() -> nn.Module:
    """Fully connected layers down to 8 values and up again."""
    sides = (64, 32, 8, 32, 64)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sides):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-2])


class Attention(nn.Module):
    """Self-attention over pixels: products of two maps that are matrices."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 24, 4, stride=4), head(8)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.stem(x).flatten(2).chunk(3, dim=1)
        weights = (query.transpose(1, 2) @ key).softmax(dim=-1)
        return self.head((value @ weights.transpose(1, 2)).unflatten(2, (8, 8)))


IMAGE = (3, 32, 32)

NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "attention": (Attention, IMAGE),
    "autoencoder": (autoencoder, (64,)),
    "convnext": (convnext, IMAGE),
    "detector": (Detector, IMAGE),
    "dilated": (dilated, IMAGE),
    "dynamic": (resnet, IMAGE),
    "efficientnet": (efficientnet, IMAGE),
    "factorized": (factorized, IMAGE),
    "gated": (Gated, IMAGE),
    "gelu": (gelu, IMAGE),
    "keywords": (keywords, (1, 49, 10)),
    "mobilenet_v2": (mobilenet_v2, IMAGE),
    "mobilenet_v3": (mobilenet_v3, IMAGE),
    "resnet": (resnet, IMAGE),
    "rows_first": (RowsFirst, (32, 32, 3)),
    "shufflenet": (shufflenet, IMAGE),
    "squeezenet": (squeezenet, IMAGE),
    "unfolded": (unfolded, IMAGE),
    "vgg": (vgg, IMAGE),
}
"""By name: what makes the network, and the shape of its image; `dynamic` has unknown sides."""
