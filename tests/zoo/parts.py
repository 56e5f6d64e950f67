"""Parts that architectures share, in plain torch, as their users write them."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_norm(
    inputs: int,
    outputs: int,
    kernel: int = 3,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: nn.Module | None = None,
) -> nn.Sequential:
    """Return a convolution that keeps the size but for its stride, batch norm, an activation."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if activation is not None:
        layers.append(activation)
    return nn.Sequential(*layers)


def head(channels: int, classes: int = 10) -> nn.Sequential:
    """Return the average over all pixels and a fully connected layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Residual(nn.Module):
    """The sum of its input and of what `body` makes of it, with an activation behind."""

    def __init__(self, body: nn.Module, side: nn.Module | None = None, *, relu: bool = True):
        super().__init__()
        self.body, self.side, self.relu = body, side or nn.Identity(), relu

    def forward(self, x: Tensor) -> Tensor:
        total = self.body(x) + self.side(x)
        return functional.relu(total) if self.relu else total


class Gate(nn.Module):
    """Squeeze and excite: every channel times a factor from the average over all pixels."""

    def __init__(self, channels: int, narrow: int, inner: nn.Module, outer: nn.Module):
        super().__init__()
        self.first, self.second = nn.Conv2d(channels, narrow, 1), nn.Conv2d(narrow, channels, 1)
        self.inner, self.outer = inner, outer

    def forward(self, x: Tensor) -> Tensor:
        factor = functional.adaptive_avg_pool2d(x, 1)
        return x * self.outer(self.second(self.inner(self.first(factor))))


class Inverted(nn.Module):
    """Expansion, a depthwise window, perhaps a gate, projection; added where shapes agree."""

    def __init__(
        self,
        inputs: int,
        wide: int,
        outputs: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        activation: type[nn.Module] = nn.ReLU6,
        gate: nn.Module | None = None,
    ):
        super().__init__()
        self.added = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            conv_norm(inputs, wide, 1, activation=activation()),
            conv_norm(wide, wide, kernel, stride=stride, groups=wide, activation=activation()),
            gate or nn.Identity(),
            conv_norm(wide, outputs, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.added else self.body(x)


def shuffled(x: Tensor) -> Tensor:
    """Return a map whose channels come from its two halves in turns."""
    batch, channels, rows, columns = x.shape
    halves = x.view(batch, 2, channels // 2, rows, columns)
    return halves.transpose(1, 2).reshape(batch, channels, rows, columns)


class Shuffled(nn.Module):
    """A unit of ShuffleNetV2: one half passes, the other is computed, channels are shuffled."""

    def __init__(self, channels: int):
        super().__init__()
        half = channels // 2
        self.right = nn.Sequential(
            conv_norm(half, half, 1, activation=nn.ReLU()),
            conv_norm(half, half, groups=half),
            conv_norm(half, half, 1, activation=nn.ReLU()),
        )

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1)
        return shuffled(torch.cat([left, self.right(right)], dim=1))


class Fire(nn.Module):
    """A unit of SqueezeNet: few channels, then windows of 1 and of 3 beside each other."""

    def __init__(self, inputs: int, narrow: int, wide: int):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, narrow, 1)
        self.one, self.three = nn.Conv2d(narrow, wide, 1), nn.Conv2d(narrow, wide, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.squeeze(x))
        return torch.cat([functional.relu(self.one(x)), functional.relu(self.three(x))], dim=1)


class ConvNeXt(nn.Module):
    """A block of ConvNeXt, channels last between its two permutations."""

    def __init__(self, channels: int):
        super().__init__()
        self.window = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.wide, self.narrow = (
            nn.Linear(channels, 4 * channels),
            nn.Linear(4 * channels, channels),
        )
        self.scale = nn.Parameter(torch.full((channels,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm(self.window(x).permute(0, 2, 3, 1))
        inner = self.scale * self.narrow(functional.gelu(self.wide(inner)))
        return x + inner.permute(0, 3, 1, 2)
