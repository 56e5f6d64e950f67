"""Popular networks that tell what an image shows."""

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from tests.corpus.popular.parts import (
    CLASSES,
    Act,
    Conv,
    Inverted,
    Named,
    Plus,
    SqueezeExcite,
    classes,
)


def mobilenet_v1() -> nn.Module:
    """Return MobileNetV1 0.25."""
    pairs = ((8, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2))
    blocks = [nn.Sequential(Conv(i, i, 3, s, g=i), Conv(i, o, 1)) for i, o, s in pairs]
    return nn.Sequential(Conv(3, 8, 3, 2), *blocks, classes(128, 2))


class Fire(nn.Module):
    """SqueezeNet's module."""

    def __init__(self, i: int, middle: int, o: int) -> None:
        super().__init__()
        self.squeeze, self.one = nn.Conv2d(i, middle, 1), nn.Conv2d(middle, o, 1)
        self.three = nn.Conv2d(middle, o, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = f.relu(self.squeeze(x))
        return torch.cat([f.relu(self.one(x)), f.relu(self.three(x))], 1)


def squeezenet() -> nn.Module:
    """Return SqueezeNet 1.1, narrow."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(16, 8, 16), Fire(32, 8, 16), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(32, 12, 24),
        nn.Dropout(0.5), nn.Conv2d(48, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )  # fmt: skip


def ds_cnn() -> nn.Module:
    """Return DS-CNN of the keyword benchmark, narrow."""
    blocks = [nn.Sequential(Conv(32, 32, 3, g=32), Conv(32, 32, 1)) for _ in range(3)]
    first = [nn.Conv2d(1, 32, (10, 4), 2, (5, 1), bias=False), nn.BatchNorm2d(32), nn.ReLU()]
    return nn.Sequential(*first, nn.Dropout(0.2), *blocks, nn.Dropout(0.4), classes(32, 12))


class Residual(nn.Module):
    """ResNet's block."""

    def __init__(self, i: int, o: int, s: int) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(i, o, 3, s), Conv(o, o, act=nn.Identity))
        self.way = Conv(i, o, 1, s, act=nn.Identity) if s > 1 or i != o else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return f.relu(self.body(x) + self.way(x))


def resnet8() -> nn.Module:
    """Return the ResNet8 of MLPerf Tiny."""
    blocks = (Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2))
    return nn.Sequential(Conv(3, 16), *blocks, classes(64))


def resnet18() -> nn.Module:
    """Return ResNet18 of a quarter of the channels."""
    pairs = ((16, 16, 1), (16, 32, 2), (32, 64, 2), (64, 128, 2))
    blocks = [block for i, o, s in pairs for block in (Residual(i, o, s), Residual(o, o, 1))]
    first = (nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU())
    return nn.Sequential(*first, nn.MaxPool2d(3, 2, 1), *blocks, classes(128))


class Ahead(nn.Module):
    """Residual block of BN, ReLU, convolution; the way beside begins behind the first ReLU."""

    def __init__(self, i: int, o: int, s: int) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.BatchNorm2d(i), nn.BatchNorm2d(o)
        self.conv_1 = nn.Conv2d(i, o, 3, s, 1, bias=False)
        self.conv_2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.way = nn.Conv2d(i, o, 1, s, bias=False) if s > 1 or i != o else None

    def forward(self, x: Tensor) -> Tensor:
        y = f.relu(self.norm_1(x))
        way = x if self.way is None else self.way(y)
        return self.conv_2(f.relu(self.norm_2(self.conv_1(y)))) + way


def preact_resnet() -> nn.Module:
    """Return a ResNet of blocks that begin with their norm."""
    blocks = (Ahead(16, 16, 1), Ahead(16, 32, 2), Ahead(32, 64, 2))
    first = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
    return nn.Sequential(first, *blocks, nn.BatchNorm2d(64), nn.ReLU(), classes(64))


def mobilenet_v2() -> nn.Module:
    """Return MobileNetV2 0.25."""
    rows = ((8, 1, 8, 1), (8, 6, 8, 2), (8, 6, 8, 1), (8, 6, 16, 2), (16, 6, 16, 1),
            (16, 6, 24, 2), (24, 6, 24, 1))  # fmt: skip
    blocks = [Inverted(i, i * t, o, 3, s) for i, t, o, s in rows]
    first = Conv(3, 8, 3, 2, act=nn.ReLU6)
    return nn.Sequential(first, *blocks, Conv(24, 160, 1, act=nn.ReLU6), classes(160))


def mobilenet_v3() -> nn.Module:
    """Return MobileNetV3-small, narrow."""
    swish, hard = nn.Hardswish, nn.Hardsigmoid
    blocks = (
        Inverted(8, 8, 8, 3, 2, act=nn.ReLU, excite=hard),
        Inverted(8, 32, 8, 3, 2, act=nn.ReLU),
        Inverted(8, 40, 8, 3, 1, act=nn.ReLU),
        Inverted(8, 48, 16, 5, 2, act=swish, excite=hard),
        Inverted(16, 64, 16, 5, 1, act=swish, excite=hard),
    )
    ends = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 64), swish(), nn.Dropout(0.2))
    return nn.Sequential(
        Conv(3, 8, 3, 2, act=swish), *blocks, Conv(16, 96, 1, act=swish), *ends,
        nn.Linear(64, CLASSES),
    )  # fmt: skip


def efficientnet(act: Act, excite: Act | None) -> nn.Module:
    """Return an EfficientNet; of the Lite ones without excitation."""
    rows = ((8, 8, 8, 3, 1), (8, 48, 16, 3, 2), (16, 96, 16, 3, 1), (16, 96, 24, 5, 2))
    blocks = [
        Inverted(i, wide, o, k, s, act=act, excite=excite, inner=act) for i, wide, o, k, s in rows
    ]
    return nn.Sequential(
        Conv(3, 8, 3, 2, act=act), *blocks, Conv(24, 64, 1, act=act), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, CLASSES),
    )  # fmt: skip


class NormOfChannels(nn.Module):
    """ConvNeXt's norm over the channels of a map, written out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(1 + torch.randn(channels) / 8)
        self.bias = nn.Parameter(torch.randn(channels) / 8)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(1, keepdim=True)
        square = (x - mean).pow(2).mean(1, keepdim=True)
        x = (x - mean) / torch.sqrt(square + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class NextBlock(nn.Module):
    """ConvNeXt's block; written: its norm is, over the channels of a map, else it is permuted."""

    def __init__(self, channels: int, k: int, *, written: bool) -> None:
        super().__init__()
        self.depth = nn.Conv2d(channels, channels, k, padding=k // 2, groups=channels)
        self.written = written
        self.norm = NormOfChannels(channels) if written else nn.LayerNorm(channels, eps=1e-6)
        self.wide, self.narrow = nn.Linear(channels, 64), nn.Linear(64, channels)
        self.scale = nn.Parameter(0.5 + torch.rand(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.depth(x)
        y = self.norm(y).permute(0, 2, 3, 1) if self.written else self.norm(y.permute(0, 2, 3, 1))
        y = self.scale * self.narrow(f.gelu(self.wide(y)))
        return x + y.permute(0, 3, 1, 2)


class ConvNext(nn.Module):
    """Patches of 4, two blocks, the mean, a norm and classes."""

    def __init__(self, k: int, *, written: bool) -> None:
        super().__init__()
        self.patches, self.written = nn.Conv2d(3, 32, 4, 4), written
        self.norm = NormOfChannels(32) if written else nn.LayerNorm(32, eps=1e-6)
        self.blocks = nn.Sequential(*(NextBlock(32, k, written=written) for _ in range(2)))
        self.last, self.head = nn.LayerNorm(32, eps=1e-6), nn.Linear(32, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x)
        x = self.norm(x) if self.written else self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return self.head(self.last(self.blocks(x).mean((-2, -1))))


def convmixer() -> nn.Module:
    """Return ConvMixer: GELU in front of BN, depthwise 5 x 5."""
    blocks = [
        nn.Sequential(
            Plus(nn.Conv2d(32, 32, 5, padding=2, groups=32), nn.GELU(), nn.BatchNorm2d(32)),
            nn.Conv2d(32, 32, 1), nn.GELU(), nn.BatchNorm2d(32),
        )
        for _ in range(2)
    ]  # fmt: skip
    return nn.Sequential(
        nn.Conv2d(3, 32, 4, 4), nn.GELU(), nn.BatchNorm2d(32), *blocks, classes(32)
    )


def lenet5() -> nn.Module:
    """Return LeNet-5."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(),
        nn.Linear(84, 10),
    )  # fmt: skip


def alexnet() -> nn.Module:
    """Return the beginning of AlexNet, with its responses normalized."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, 2, 2), nn.ReLU(), nn.LocalResponseNorm(5, k=2.0), nn.MaxPool2d(3, 2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Linear(288, CLASSES),
    )  # fmt: skip


def groupnorm() -> nn.Module:
    """Return a network with norms of groups and of maps."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1), nn.GroupNorm(4, 16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1), nn.InstanceNorm2d(32, affine=True), nn.ReLU(),
        nn.Conv2d(32, 32, 3, 2, 1), nn.GroupNorm(8, 32), nn.ReLU(), classes(32),
    )  # fmt: skip


class Gates(nn.Module):
    """CBAM's two gates."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(channels, 8), nn.Linear(8, channels)
        self.places = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def both(self, x: Tensor) -> Tensor:
        return self.two(f.relu(self.one(x)))

    def forward(self, x: Tensor) -> Tensor:
        mean = f.adaptive_avg_pool2d(x, 1).flatten(1)
        most = f.adaptive_max_pool2d(x, 1).flatten(1)
        gate = torch.sigmoid(self.both(mean) + self.both(most))
        x = x * gate[:, :, None, None]
        over = torch.cat([x.max(1, keepdim=True)[0], x.mean(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.places(over))


def cbam() -> nn.Module:
    """Return convolutions with CBAM's gates."""
    return nn.Sequential(Conv(3, 16, 3, 2), Gates(16), Conv(16, 32, 3, 2), Gates(32), classes(32))


class ShuffleUnit(nn.Module):
    """ShuffleNetV2's unit: half of the channels, or both halves of a map of a quarter."""

    def __init__(self, channels: int, *, strided: bool) -> None:
        super().__init__()
        i, half, s = channels if strided else channels // 2, channels // 2, 1 + strided
        half = channels if strided else half
        self.way = (
            nn.Sequential(Conv(i, i, 3, 2, g=i, act=nn.Identity), Conv(i, half, 1))
            if strided
            else None
        )
        self.body = nn.Sequential(
            Conv(i, half, 1), Conv(half, half, 3, s, g=half, act=nn.Identity), Conv(half, half, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.way is None:
            kept, other = x.chunk(2, 1)
            both = torch.cat([kept, self.body(other)], 1)
        else:
            both = torch.cat([self.way(x), self.body(x)], 1)
        n, channels, height, width = both.shape
        parts = both.view(n, 2, channels // 2, height, width).transpose(1, 2).contiguous()
        return parts.view(n, channels, height, width)


def shufflenet() -> nn.Module:
    """Return ShuffleNetV2, narrow."""
    units = [ShuffleUnit(16, strided=True), ShuffleUnit(32, strided=False)]
    units += [ShuffleUnit(32, strided=True), ShuffleUnit(64, strided=False)]
    return nn.Sequential(Conv(3, 16, 3, 2), *units, Conv(64, 64, 1), classes(64))


class Ghost(nn.Module):
    """GhostNet's module: 1 x 1 and its cheap depthwise copy."""

    def __init__(self, i: int, o: int, act: Act = nn.ReLU) -> None:
        super().__init__()
        half = o // 2
        self.first, self.cheap = Conv(i, half, 1, act=act), Conv(half, half, 3, g=half, act=act)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return torch.cat([x, self.cheap(x)], 1)


def ghostnet() -> nn.Module:
    """Return GhostNet, narrow."""
    gate = SqueezeExcite(32, 8, nn.ReLU, nn.Hardsigmoid)
    return nn.Sequential(
        Conv(3, 16, 3, 2), Plus(Ghost(16, 32), Ghost(32, 16, nn.Identity)),
        Ghost(16, 32), Conv(32, 32, 3, 2, g=32, act=nn.Identity), gate,
        Ghost(32, 32, nn.Identity), Conv(32, 64, 1), classes(64),
    )  # fmt: skip


def eegnet() -> nn.Module:
    """Return EEGNet."""
    return nn.Sequential(
        nn.Conv2d(1, 8, (1, 16), padding=(0, 8), bias=False), nn.BatchNorm2d(8),
        nn.Conv2d(8, 16, (8, 1), groups=8, bias=False), nn.BatchNorm2d(16), nn.ELU(),
        nn.AvgPool2d((1, 4)), nn.Dropout(0.25),
        nn.Conv2d(16, 16, (1, 8), padding=(0, 4), groups=16, bias=False),
        nn.Conv2d(16, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ELU(), nn.AvgPool2d((1, 8)),
        nn.Dropout(0.25), nn.Flatten(), nn.Linear(32, 4),
    )  # fmt: skip


def face_embedding() -> nn.Module:
    """Return an embedding of length 1."""
    return nn.Sequential(
        Conv(3, 16, 3, 2),
        Conv(16, 32, 3, 2),
        classes(32, 8),
        Named(lambda x: f.normalize(x, dim=1)),
    )


def argmax_head() -> nn.Module:
    """Return a classifier that answers with a class."""
    return nn.Sequential(
        Conv(3, 16, 3, 2), Conv(16, 32, 3, 2), classes(32), Named(lambda x: x.argmax(1))
    )
