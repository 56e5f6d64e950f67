"""Popular networks whose answer is a map, or lists of boxes."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from tests.corpus.popular.parts import CLASSES, Conv, Inverted, Plus


def leaky(i: int, o: int, k: int = 3) -> nn.Module:
    """Return a convolution as YOLOv3 has it."""
    return Conv(i, o, k, act=lambda: nn.LeakyReLU(0.1))


class TinyYolo(nn.Module):
    """YOLOv3-tiny; how: its two heads `raw`, in one `list`, or the boxes `decoded`."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.outputs, self.anchors = how, 7, 3
        self.one, self.two, self.three = leaky(3, 8), leaky(8, 16), leaky(16, 32)
        self.four, self.five = leaky(32, 32), leaky(32, 64)
        self.narrow, self.wide = leaky(64, 32, 1), leaky(32, 64)
        self.route, self.joined = leaky(32, 16, 1), leaky(48, 32)
        self.coarse, self.fine = (nn.Conv2d(c, 3 * 7, 1) for c in (64, 32))
        self.register_buffer("sizes", torch.rand(2, 1, 3, 1, 1, 2) + 0.5, persistent=False)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = f.max_pool2d(self.one(x), 2)
        x = f.max_pool2d(self.two(x), 2)
        fine = self.three(x)
        x = self.four(f.max_pool2d(fine, 2))
        x = f.max_pool2d(f.pad(x, (0, 1, 0, 1)), 2, 1)
        x = self.narrow(self.five(x))
        coarse = self.coarse(self.wide(x))
        grown = f.interpolate(self.route(x), scale_factor=2.0, mode="nearest")
        heads = coarse, self.fine(self.joined(torch.cat([grown, fine], 1)))
        if self.how == "raw":
            return heads
        return torch.cat([self.boxes(each, n) for n, each in enumerate(heads)], 1)

    def boxes(self, x: Tensor, scale: int) -> Tensor:
        n, _, rows, columns = x.shape
        x = x.view(n, self.anchors, self.outputs, rows, columns).permute(0, 1, 3, 4, 2)
        if self.how == "decoded":
            y, z = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
            grid = torch.stack((z, y), 2).view(1, 1, rows, columns, 2).float()
            middle = (x[..., 0:2].sigmoid() + grid) * (32 / rows)
            size = torch.exp(x[..., 2:4]) * self.sizes[scale]
            x = torch.cat((middle, size, x[..., 4:].sigmoid()), -1)
        return x.reshape(n, -1, self.outputs)


class YoloV8(nn.Module):
    """YOLOv8's head: branches of boxes and of classes, softmax over bins, sigmoid."""

    BINS, KINDS = 8, 4

    def __init__(self) -> None:
        super().__init__()
        bins = self.BINS
        self.stem = nn.Sequential(Conv(3, 16, 3, 2, act=nn.SiLU), Conv(16, 32, 3, 2, act=nn.SiLU))
        self.next = Conv(32, 32, 3, 2, act=nn.SiLU)
        self.box = nn.ModuleList(
            nn.Sequential(Conv(32, 32, act=nn.SiLU), nn.Conv2d(32, 4 * bins, 1)) for _ in range(2)
        )
        self.kind = nn.ModuleList(
            nn.Sequential(Conv(32, 16, act=nn.SiLU), nn.Conv2d(16, self.KINDS, 1)) for _ in range(2)
        )
        self.dfl = nn.Conv2d(bins, 1, 1, bias=False)
        self.dfl.weight.data[:] = torch.arange(bins, dtype=torch.float32).view(1, bins, 1, 1)
        points, strides = [], []
        for side, stride in ((8, 4), (4, 8)):
            s = torch.arange(side) + 0.5
            y, x = torch.meshgrid(s, s, indexing="ij")
            points.append(torch.stack((x, y), -1).view(-1, 2))
            strides.append(torch.full((side * side, 1), float(stride)))
        self.register_buffer("points", torch.cat(points).T.contiguous(), persistent=False)
        self.register_buffer("strides", torch.cat(strides).T.contiguous(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.stem(x)
        maps = [fine, self.next(fine)]
        heads = [
            torch.cat((box(each), kind(each)), 1)
            for each, box, kind in zip(maps, self.box, self.kind, strict=True)
        ]
        n, outputs = x.shape[0], 4 * self.BINS + self.KINDS
        joined = torch.cat([each.view(n, outputs, -1) for each in heads], 2)
        box, kind = joined.split((4 * self.BINS, self.KINDS), 1)
        places = box.shape[-1]
        bins = box.view(n, 4, self.BINS, places).transpose(2, 1).softmax(1)
        low, high = self.dfl(bins).view(n, 4, places).chunk(2, 1)
        first, last = self.points - low, self.points + high
        boxes = torch.cat(((first + last) / 2, last - first), 1) * self.strides
        return torch.cat((boxes, kind.sigmoid()), 1)


class Ssd(nn.Module):
    """SSD-Lite: boxes and classes of two maps, permuted and joined."""

    KINDS, BOXES = 4, 3

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Sequential(
            Conv(3, 8, 3, 2, act=nn.ReLU6), Inverted(8, 24, 16, 3, 2), Inverted(16, 48, 16)
        )
        self.two = Inverted(16, 48, 32, 3, 2)

        def lite(i: int, o: int) -> nn.Module:
            return nn.Sequential(Conv(i, i, 3, g=i, act=nn.ReLU6), nn.Conv2d(i, o, 1))

        self.places = nn.ModuleList([lite(16, 4 * self.BOXES), lite(32, 4 * self.BOXES)])
        kinds = self.KINDS * self.BOXES
        self.kinds = nn.ModuleList([lite(16, kinds), lite(32, kinds)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.one(x)
        maps, n = (fine, self.two(fine)), x.shape[0]

        def listed(heads: nn.ModuleList, width: int) -> Tensor:
            parts = [
                head(each).permute(0, 2, 3, 1).reshape(n, -1, width)
                for head, each in zip(heads, maps, strict=True)
            ]
            return torch.cat(parts, 1)

        return listed(self.places, 4), listed(self.kinds, self.KINDS).softmax(-1)


class UNet(nn.Module):
    """Three levels of 8, 16 and 32 channels; up: what doubles rows and columns."""

    def __init__(self, up: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(Conv(i, o), Conv(o, o)) for i, o in ((3, 8), (8, 16), (16, 32))
        )
        self.ups = nn.ModuleList([up(32, 16), up(16, 8)])
        self.back = nn.ModuleList(
            nn.Sequential(Conv(i, o), Conv(o, o)) for i, o in ((32, 16), (16, 8))
        )
        self.last = nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for level, layer in enumerate(self.down):
            x = layer(f.max_pool2d(x, 2) if level else x)
            kept.append(x)
        kept.pop()
        for up, layer in zip(self.ups, self.back, strict=True):
            x = layer(torch.cat([kept.pop(), up(x)], 1))
        return torch.sigmoid(self.last(x))


def transposed(i: int, o: int) -> nn.Module:
    """Return an enlargement by a transposed convolution."""
    return nn.ConvTranspose2d(i, o, 2, 2)


def bilinear(i: int, o: int) -> nn.Module:
    """Return an enlargement between pixels."""
    grown = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return nn.Sequential(grown, nn.Conv2d(i, o, 1))


def style() -> nn.Module:
    """Return a network of style transfer."""

    def conv(i: int, o: int, k: int, s: int, *behind: nn.Module) -> list[nn.Module]:
        return [nn.ReflectionPad2d(k // 2), nn.Conv2d(i, o, k, s), *behind]

    def normed(i: int, o: int, k: int, s: int) -> list[nn.Module]:
        return conv(i, o, k, s, nn.InstanceNorm2d(o, affine=True), nn.ReLU())

    inner = [*normed(16, 16, 3, 1), *conv(16, 16, 3, 1, nn.InstanceNorm2d(16, affine=True))]
    grown = nn.Upsample(scale_factor=2, mode="nearest")
    return nn.Sequential(
        *normed(3, 8, 9, 1), *normed(8, 16, 3, 2), Plus(*inner), grown, *normed(16, 8, 3, 1),
        *conv(8, 3, 9, 1),
    )  # fmt: skip


def borders() -> nn.Module:
    """Return convolutions behind reflected and repeated pixels."""
    return nn.Sequential(
        nn.ReflectionPad2d(1), nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.ReplicationPad2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(32, CLASSES),
    )  # fmt: skip


class EdsrBlock(nn.Module):
    """x + 0.1 times two convolutions of x."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one, self.two = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.two(f.relu(self.one(x))).mul(0.1) + x


def edsr() -> nn.Module:
    """Return EDSR, of two blocks."""
    blocks = [EdsrBlock(16) for _ in range(2)]
    body = Plus(*blocks, nn.Conv2d(16, 16, 3, padding=1))
    tail = (nn.Conv2d(16, 64, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(16, 3, 3, padding=1))
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), body, *tail)


class DeepLab(nn.Module):
    """Dilated branches and the mean of the image, grown again; the answer grown by 2."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(Conv(3, 16, 3, 2), Conv(16, 16))
        self.branches = nn.ModuleList([Conv(16, 16, 1), Conv(16, 16, d=2), Conv(16, 16, d=4)])
        self.image = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 16, 1, bias=False), nn.ReLU()
        )
        self.join, self.last = Conv(64, 16, 1), nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        sides = x.shape[-2:]
        x = self.stem(x)
        mean = f.interpolate(self.image(x), size=x.shape[-2:], mode="bilinear", align_corners=False)
        x = self.last(self.join(torch.cat([*(each(x) for each in self.branches), mean], 1)))
        return f.interpolate(x, size=sides, mode="bilinear", align_corners=False)


class Fpn(nn.Module):
    """A feature pyramid of two levels and one head for both."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = (
            nn.Sequential(Conv(3, 16, 3, 2), Conv(16, 16, 3, 2)),
            Conv(16, 32, 3, 2),
        )
        self.beside, self.inner = nn.Conv2d(16, 16, 1), nn.Conv2d(32, 16, 1)
        self.smooth = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1) for _ in range(2))
        self.head = nn.Sequential(
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 8, 3, padding=1)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.one(x)
        coarse = self.inner(self.two(fine))
        fine = self.beside(fine) + f.interpolate(coarse, scale_factor=2.0, mode="nearest")
        return self.head(self.smooth[0](fine)), self.head(self.smooth[1](coarse))
