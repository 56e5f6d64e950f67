"""Parts that several of the popular networks have."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

IMAGE = (3, 32, 32)
CLASSES = 10
Act = Callable[[], nn.Module]


class Conv(nn.Sequential):
    """Convolution without a bias, batch norm and an activation."""

    def __init__(
        self,
        i: int,
        o: int,
        k: int | tuple[int, int] = 3,
        s: int = 1,
        *,
        g: int = 1,
        d: int = 1,
        act: Act = nn.ReLU,
    ) -> None:
        sides = k if isinstance(k, tuple) else (k, k)
        padding = tuple(d * (side - 1) // 2 for side in sides)
        layer = nn.Conv2d(i, o, k, s, padding, dilation=d, groups=g, bias=False)
        super().__init__(layer, nn.BatchNorm2d(o), act())


class Named(nn.Module):
    """A function as a module."""

    def __init__(self, what: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.what = what

    def forward(self, x: Tensor) -> Tensor:
        return self.what(x)


class Plus(nn.Module):
    """x + parts of x."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def classes(channels: int, count: int = CLASSES) -> nn.Sequential:
    """Return a mean over the map and a fully connected layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, count))


class SqueezeExcite(nn.Module):
    """A gate of channels by the mean of the map."""

    def __init__(self, channels: int, middle: int, act: Act, gate: Act) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, middle, 1), act(),
            nn.Conv2d(middle, channels, 1), gate(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


class Inverted(nn.Module):
    """MobileNetV2's block: wide 1 x 1, depthwise, narrow 1 x 1, with or without excitation."""

    def __init__(
        self,
        i: int,
        wide: int,
        o: int,
        k: int = 3,
        s: int = 1,
        *,
        act: Act = nn.ReLU6,
        excite: Act | None = None,
        inner: Act = nn.ReLU,
    ) -> None:
        super().__init__()
        first = [Conv(i, wide, 1, act=act)] if wide != i else []
        gate = [SqueezeExcite(wide, max(wide // 4, 8), inner, excite)] if excite else []
        parts = [*first, Conv(wide, wide, k, s, g=wide, act=act), *gate]
        self.body = nn.Sequential(*parts, Conv(wide, o, 1, act=nn.Identity))
        self.adds = s == 1 and i == o

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.adds else self.body(x)


def seen(module: nn.Module, images: Tensor) -> nn.Module:
    """Return a module in inference whose batch norms have run over images."""
    norms = [each for each in module.modules() if isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.6, 1.4)
        nn.init.uniform_(norm.bias, -0.3, 0.3)
        norm.momentum = None  # the mean over all inputs
    if norms:
        module.train()
        with torch.no_grad():
            module(images)
    return module.eval()
