"""Small float networks of torch in today's styles, with drawn weights: what people export."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as f

CLASSES = 5
Given = tuple[nn.Module, tuple[int, ...]]
"""A network, and the shape of its image, channels first."""


class Conv(nn.Sequential):
    """Convolution, batch norm and an activation."""

    def __init__(
        self, i: int, o: int, k: int = 3, s: int = 1, *, g: int = 1, act: type = nn.ReLU
    ) -> None:
        super().__init__(
            nn.Conv2d(i, o, k, s, k // 2, groups=g, bias=False), nn.BatchNorm2d(o), act()
        )


def head(channels: int) -> nn.Sequential:
    """Return a mean over the map and a fully connected layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES))


class Residual(nn.Module):
    """x + convolutions of x; another stride or width has a convolution of 1 x 1 on the way."""

    def __init__(self, i: int, o: int, s: int, act: type = nn.ReLU) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(i, o, 3, s, act=act), Conv(o, o, act=nn.Identity))
        self.way = Conv(i, o, 1, s, act=nn.Identity) if s > 1 or i != o else nn.Identity()
        self.act = act()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.body(x) + self.way(x))


class Inverted(nn.Module):
    """A wide depthwise convolution between two of 1 x 1, with or without a gate."""

    def __init__(self, i: int, o: int, s: int, act: type, *gate: nn.Module) -> None:
        super().__init__()
        parts = [Conv(i, 3 * i, 1, act=act), Conv(3 * i, 3 * i, 3, s, g=3 * i, act=act)]
        self.body = nn.Sequential(*parts, *gate, Conv(3 * i, o, 1, act=nn.Identity))
        self.adds = s == 1 and i == o

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.adds else self.body(x)


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int, last: type = nn.Sigmoid) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, 4, 1),
            nn.ReLU(),
            nn.Conv2d(4, channels, 1),
            last(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


class ChannelAttention(nn.Module):
    """ECA: a convolution along the channels of a mean."""

    def __init__(self, kernel: int = 3) -> None:
        super().__init__()
        self.along = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        row = f.adaptive_avg_pool2d(x, 1).squeeze(-1).transpose(-1, -2)
        gate = torch.sigmoid(self.along(row).transpose(-1, -2).unsqueeze(-1))
        return x * gate


class Dense(nn.Module):
    """Each layer reads all maps before it; the first concatenation has one input."""

    def __init__(self, channels: int, growth: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(channels + n * growth),
                nn.ReLU(),
                nn.Conv2d(channels + n * growth, growth, 3, 1, 1, bias=False),
            )
            for n in range(layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self.layers:
            maps.append(layer(torch.cat(maps, 1)))
        return torch.cat(maps, 1)


class Shuffle(nn.Module):
    """A block of ShuffleNet V2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.body = nn.Sequential(
            Conv(half, half, 1), Conv(half, half, 3, g=half, act=nn.Identity), Conv(half, half, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        one, other = x.chunk(2, 1)
        both = torch.cat([one, self.body(other)], 1)
        batch, channels, height, width = both.shape
        parts = both.view(batch, 2, channels // 2, height, width).transpose(1, 2)
        return parts.reshape(batch, channels, height, width)


class Fire(nn.Module):
    """A block of SqueezeNet."""

    def __init__(self, i: int, middle: int, o: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(nn.Conv2d(i, middle, 1), nn.ReLU())
        self.one = nn.Sequential(nn.Conv2d(middle, o, 1), nn.ReLU())
        self.three = nn.Sequential(nn.Conv2d(middle, o, 3, padding=1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat([self.one(x), self.three(x)], 1)


class Inception(nn.Module):
    """Four branches, one a mean that leaves padding out."""

    def __init__(self, i: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                Conv(i, 4, 1),
                nn.Sequential(Conv(i, 4, 1), Conv(4, 4, 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), Conv(i, 4, 1)),
                nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), Conv(i, 4, 1)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class UNet(nn.Module):
    """Two levels down and up again, with the maps of the way down beside."""

    def __init__(self, up: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        self.down = nn.ModuleList([Conv(3, 8), Conv(8, 16)])
        self.bottom = Conv(16, 32)
        self.ups = nn.ModuleList([up(32, 16), up(16, 8)])
        self.back = nn.ModuleList([Conv(32, 16), Conv(16, 8)])
        self.last = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for layer in self.down:
            x = layer(x)
            kept.append(x)
            x = f.max_pool2d(x, 2)
        x = self.bottom(x)
        for up, layer in zip(self.ups, self.back, strict=True):
            x = layer(torch.cat([up(x), kept.pop()], 1))
        return self.last(x)


def nearest(i: int, o: int) -> nn.Module:
    """Return an enlargement by repetition."""
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), Conv(i, o, 1))


def transposed(i: int, o: int) -> nn.Module:
    """Return an enlargement by a transposed convolution."""
    return nn.ConvTranspose2d(i, o, 2, 2)


def wide_transposed(i: int, o: int) -> nn.Module:
    """Return a transposed convolution whose windows overlap."""
    return nn.ConvTranspose2d(i, o, 3, 2, 1, output_padding=1)


def shuffled(i: int, o: int) -> nn.Module:
    """Return an enlargement by sub-pixels."""
    return nn.Sequential(nn.Conv2d(i, 4 * o, 1), nn.PixelShuffle(2))


class Pyramid(nn.Module):
    """The end of a YOLO: pooling pyramid, enlargement, concatenation, two scales of boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Sequential(Conv(3, 8, 3, 2, act=nn.SiLU), Conv(8, 16, act=nn.SiLU))
        self.two = Conv(16, 32, 3, 2, act=nn.SiLU)
        self.before, self.behind = Conv(32, 16, 1, act=nn.SiLU), Conv(64, 32, 1, act=nn.SiLU)
        self.middle = Conv(48, 16, act=nn.SiLU)
        self.detect = nn.Conv2d(16, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.one(x)
        maps = [self.before(self.two(fine))]
        for _ in range(3):
            maps.append(f.max_pool2d(maps[-1], 5, 1, 2))
        coarse = f.interpolate(self.behind(torch.cat(maps, 1)), scale_factor=2.0, mode="nearest")
        return self.detect(self.middle(torch.cat([coarse, fine], 1)))


class Focus(nn.Module):
    """Every second pixel as channels, as the first YOLOv5 began."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Conv(12, 8, act=nn.SiLU), Conv(8, 16, 3, 2, act=nn.SiLU), head(16)
        )

    def forward(self, x: Tensor) -> Tensor:
        parts = [x[..., i::2, j::2] for j in (0, 1) for i in (0, 1)]
        return self.body(torch.cat(parts, 1))


class Sequence(nn.Module):
    """A residual network over a sequence."""

    def __init__(self, dilated: bool) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(4, 8, 5, 2, 2), nn.BatchNorm1d(8), nn.ReLU())
        step = 2 if dilated else 1
        self.second = nn.Sequential(nn.Conv1d(8, 8, 3, 1, step, step), nn.BatchNorm1d(8))
        self.last = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = torch.relu(x + self.second(x))
        return self.last(f.max_pool1d(x, 2).mean(-1))


class Attention(nn.Module):
    """One block of a transformer: products of two maps, Softmax and LayerNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 16, 4, 4)
        self.norm, self.parts = nn.LayerNorm(16), nn.Linear(16, 48)
        self.last = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).flatten(2).transpose(1, 2)
        q, k, v = self.parts(self.norm(x)).chunk(3, -1)
        x = x + torch.softmax(q @ k.transpose(1, 2) / 4, -1) @ v
        return self.last(x.mean(1))


class Recurrent(nn.Module):
    """An LSTM over a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.last = nn.LSTM(4, 8, batch_first=True), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.lstm(x.transpose(1, 2))[0].mean(1))


def plain(act: Callable[[], nn.Module], pool: type[nn.Module] = nn.MaxPool2d) -> nn.Sequential:
    """Return convolutions with an activation before each pooling."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), act(), pool(2),
        nn.Conv2d(8, 16, 3, padding=1), act(), pool(2),
        nn.Flatten(), nn.Linear(16 * 16, CLASSES),
    )  # fmt: skip


def slopes(channels: int) -> nn.PReLU:
    """Return a PReLU whose slopes differ."""
    made = nn.PReLU(channels)
    with torch.no_grad():
        made.weight.uniform_(-0.1, 0.5)
    return made


IMAGE, SIGNAL = (3, 16, 16), (4, 32)

NETWORKS: Mapping[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = MappingProxyType(
    {
        "resnet": (
            lambda: nn.Sequential(Conv(3, 8), Residual(8, 8, 1), Residual(8, 16, 2), head(16)),
            IMAGE,
        ),
        "mobilenet_v2": (
            lambda: nn.Sequential(
                Conv(3, 8, 3, 2, act=nn.ReLU6),
                Inverted(8, 8, 1, nn.ReLU6),
                Inverted(8, 16, 2, nn.ReLU6),
                head(16),
            ),
            IMAGE,
        ),
        "mobilenet_v3": (
            lambda: nn.Sequential(
                Conv(3, 8, 3, 2, act=nn.Hardswish),
                Inverted(8, 8, 1, nn.Hardswish, Gate(24, nn.Hardsigmoid)),
                head(8),
            ),
            IMAGE,
        ),
        "efficientnet": (
            lambda: nn.Sequential(
                Conv(3, 8, 3, 2, act=nn.SiLU), Inverted(8, 8, 1, nn.SiLU, Gate(24)), head(8)
            ),
            IMAGE,
        ),
        "eca_resnet": (
            lambda: nn.Sequential(Conv(3, 16), ChannelAttention(), Residual(16, 16, 2), head(16)),
            IMAGE,
        ),
        "densenet": (
            lambda: nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1), Dense(8, 4, 3), nn.BatchNorm2d(20), nn.ReLU(),
                nn.Conv2d(20, 10, 1), nn.AvgPool2d(2), Dense(10, 4, 2), head(18),
            ),
            IMAGE,
        ),
        "shufflenet": (lambda: nn.Sequential(Conv(3, 16, 3, 2), Shuffle(16), head(16)), IMAGE),
        "squeezenet": (
            lambda: nn.Sequential(
                Conv(3, 8), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(8, 4, 8), Fire(16, 4, 8),
                nn.Conv2d(16, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            ),
            IMAGE,
        ),
        "inception": (lambda: nn.Sequential(Conv(3, 8, 3, 2), Inception(8), head(16)), IMAGE),
        "unet_transposed": (lambda: UNet(transposed), IMAGE),
        "unet_overlapping": (lambda: UNet(wide_transposed), IMAGE),
        "unet_nearest": (lambda: UNet(nearest), IMAGE),
        "unet_shuffled": (lambda: UNet(shuffled), IMAGE),
        "yolo_neck": (Pyramid, IMAGE),
        "yolo_focus": (Focus, IMAGE),
        "signal": (lambda: Sequence(False), SIGNAL),
        "signal_dilated": (lambda: Sequence(True), SIGNAL),
        "leaky": (lambda: plain(lambda: nn.LeakyReLU(0.1)), IMAGE),
        "tanh": (lambda: plain(nn.Tanh, nn.AvgPool2d), IMAGE),
        "selu": (lambda: plain(nn.SELU), IMAGE),
        "gelu": (lambda: plain(nn.GELU), IMAGE),
        "prelu": (
            lambda: nn.Sequential(
                Conv(3, 8, act=nn.Identity), slopes(8), Conv(8, 8, 3, 2, g=8, act=nn.Identity),
                slopes(8), head(8),
            ),
            IMAGE,
        ),
        "space_to_depth": (
            lambda: nn.Sequential(nn.PixelUnshuffle(4), Conv(48, 8, 1), Residual(8, 8, 1), head(8)),
            IMAGE,
        ),
        "transformer": (Attention, IMAGE),
        "lstm": (Recurrent, SIGNAL),
    }
)  # fmt: skip
"""By name: what makes it, and the shape of its image, channels first."""


def network(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Return a network in inference, with drawn weights and statistics, and its image's shape."""
    make, shape = NETWORKS[name]
    return drawn(make, seed=sorted(NETWORKS).index(name)), shape


def drawn(make: Callable[[], nn.Module], *, seed: int) -> nn.Module:
    """Return a module in inference, with drawn weights and statistics."""
    torch.manual_seed(seed)
    made = make()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return made.eval()
