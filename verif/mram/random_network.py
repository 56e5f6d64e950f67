"""Random channel-adaptive networks of any bits, for a small chip and all its layers."""

from typing import Any, Literal

import numpy as np

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


ONES = (1, 1, 1, 2, 3, 7)
"""Sizes of which half are 1."""


class OfOnes:
    """One draw of a network whose image, maps, windows and answer often have a size of 1.

    raw: bits of an answer of sums
    """

    raw = 32
    kinds: tuple[str, ...] = (
        "conv",
        "residual",
        "shortcut",
        "max_pool",
        "average_pool",
        "rescale",
        "linear",
    )

    def __init__(self, seed: int) -> None:
        rng = self._rng = np.random.default_rng([seed, 1])
        self._modes = MODES[: int(rng.choice([1, 1, 2, 4]))]
        shape = (int(rng.choice(ONES)), int(rng.choice(ONES)), int(rng.choice(ONES)))
        self._bits = int(rng.choice([1, 4, 8, 8]))
        self._net = Drawing(seed, modes=self._modes, shape=shape, bits=self._bits)

    def build(self) -> QuantizedNetwork:
        """Return the network: up to four kinds, and an answer of sums or of a map."""
        now = self._conv(INPUT) if self._rng.integers(3) else INPUT
        for kind in self._rng.choice(self.kinds, self._rng.integers(0, 5)).tolist():
            now = getattr(self, f"_{kind}")(now)
        if now == INPUT or self._rng.integers(4):
            now = self._net.linear(now, self._channels(), bits=self.raw)
        return self._net.build(now)

    def _channels(self) -> tuple[int, ...]:
        """Return the channels of a map in each mode: fewer in each that follows, or as many."""
        drawn = self._rng.choice(ONES, len(self._modes)).tolist()
        return tuple(sorted(drawn, reverse=True))

    def _conv(self, now: str) -> str:
        """Append a convolution of any window that fits, with any weights."""
        return self._net.conv(
            now, self._channels(), **self._window(now), bits=self._bits, **self._weights()
        )

    def _weights(self) -> dict[str, Any]:
        bits = int(self._rng.choice([1, 2, 5, 8]))
        return {"weight_bits": bits, "weight_grid": "odd" if bits == 1 else "integer"}

    def _window(self, now: str) -> dict[str, Any]:
        """Return a window of one tap or a few, its steps, and a padding with which it fits."""
        kernel: list[int] = []
        before, after, stride = [], [], []
        for side in self._net.size(now):
            extent = self._extent(len(kernel))
            first = int(self._rng.integers(0, extent))
            kernel.append(extent)
            before.append(first)
            after.append(int(self._rng.integers(max(0, extent - side - first), extent)))
            stride.append(int(self._rng.integers(1, 4)))
        padding = (before[0], before[1], after[0], after[1])
        return {"kernel": tuple(kernel), "stride": tuple(stride), "padding": padding}

    def _extent(self, axis: int) -> int:
        """Return the taps of a window along an axis: 0 down, 1 across."""
        return int(self._rng.choice([1, 1, 2, 3]))

    def _residual(self, now: str) -> str:
        """Append a convolution that keeps the shape, and the sum with what it reads."""
        if now == INPUT:
            now = self._conv(now)
        inner = self._net.conv(now, self._net.channels(now), bits=self._bits, **self._weights())
        return self._net.add(inner, now, bits=self._bits)

    def _shortcut(self, now: str) -> str:
        """Append a smaller map, and the sum with one without weights."""
        if now == INPUT:
            now = self._conv(now)
        stride, channels = (int(self._rng.integers(1, 4)),) * 2, self._channels()
        inner = self._net.conv(now, channels, stride=stride, bits=self._bits, **self._weights())
        return self._net.add(
            inner, self._net.shortcut(now, channels, stride=stride), bits=self._bits
        )

    def _max_pool(self, now: str) -> str:
        return self._net.max_pool(now, **self._window(now))

    def _average_pool(self, now: str) -> str:
        return self._net.average_pool(now, **self._window(now), bits=self._bits)

    def _rescale(self, now: str) -> str:
        return self._net.rescale(now, bits=int(self._rng.choice([1, 4, 8])))

    def _linear(self, now: str) -> str:
        return self._net.linear(now, self._channels(), bits=self._bits, **self._weights())


WIDE = (1, 5, 9, 17, 30)
"""Channels of maps of which a row of a small bank holds one pixel, or a part of one."""


class OfWidths(OfOnes):
    """One draw of a network whose pixels, and those of its answer, may take several rows."""

    kinds: tuple[str, ...] = (
        "conv",
        "conv",
        "residual",
        "shortcut",
        "max_pool",
        "average_pool",
        "linear",
    )

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        rng = self._rng
        self._modes = MODES[: 1 if rng.random() < 0.8 else 2]
        shape = (int(rng.choice((1, 1, 2, 3))), int(rng.choice(ONES[:5])), int(rng.choice(WIDE)))
        self._net = Drawing(seed, modes=self._modes, shape=shape, bits=self._bits)

    def _channels(self) -> tuple[int, ...]:
        """Return the channels of a map in each mode."""
        drawn = self._rng.choice(WIDE, len(self._modes)).tolist()
        return tuple(sorted(drawn, reverse=True))

    def _weights(self) -> dict[str, Any]:
        bits = int(self._rng.choice([1, 2, 3, 4]))
        return {"weight_bits": bits, "weight_grid": "odd" if bits == 1 else "integer"}


class OfDepthwise(OfWidths):
    """One draw of a network of depthwise layers between others, over narrow and wide pixels."""

    kinds = ("depthwise", "depthwise", "pointwise", "residual", "max_pool", "linear")
    sides = ((3, 3), (3, 3), (3, 3), (1, 3), (2, 2), (1, 1), (1, 9), (4, 2))

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        rng = self._rng
        shape = (int(rng.choice((1, 3, 4, 6))), int(rng.choice((1, 4, 5, 8))), self._image())
        self._net = Drawing(seed, modes=self._modes, shape=shape, bits=self._bits)

    def _image(self) -> int:
        """Return the channels of the image."""
        return int(self._rng.choice(WIDE))

    def _conv(self, now: str) -> str:
        return self._depthwise(now) if self._rng.random() < 0.5 else self._pointwise(now)

    def _pointwise(self, now: str) -> str:
        """Append kernels of 1 x 1."""
        return self._net.conv(now, self._channels(), bits=self._bits, **self._weights())

    def _depthwise(self, now: str) -> str:
        """Append a kernel for each channel."""
        channels = self._net.channels(now)
        groups = channels[0] if channels[0] > 1 else 1
        window = self._window(now)
        return self._net.conv(
            now, channels, groups=groups, **window, bits=self._bits, **self._weights()
        )

    def _extent(self, axis: int) -> int:
        """Return the taps of the next kernel, drawn for both axes at once."""
        if axis == 0:
            self._kernel = self.sides[self._rng.integers(len(self.sides))]
        return self._kernel[axis]


class OfSixteen(OfDepthwise):
    """One draw of a network of 16-bit weights beside 16-bit maps, depthwise layers among them."""

    raw = 64

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        rng = self._rng
        self._bits = 16
        shape = (int(rng.choice((1, 1, 2, 4))), int(rng.choice((1, 3, 4))), int(rng.choice(FEW)))
        self._net = Drawing(seed, modes=self._modes, shape=shape, bits=self._bits)

    def _channels(self) -> tuple[int, ...]:
        """Return the channels of a map in each mode, up to sixteen."""
        drawn = self._rng.choice(FEW, len(self._modes)).tolist()
        return tuple(sorted(drawn, reverse=True))

    def _weights(self) -> dict[str, Any]:
        return {"weight_bits": 16, "weight_grid": "integer"}


FEW = (1, 1, 3, 5, 16)
"""Channels of maps of few elements."""

KERNELS = ((1, 1), (1, 1), (1, 1), (5, 5), (1, 4), (1, 7), (7, 1), (10, 4), (2, 2), (3, 3), (1, 3))
"""Rows and columns of kernels, of which a window of 3 x 3 holds a few."""


class OfKernels(OfOnes):
    """One draw of a network with kernels of any size, over maps of a few sizes and channels."""

    kinds = ("conv", "conv", "conv", "residual", "shortcut", "max_pool", "linear")

    def _channels(self) -> tuple[int, ...]:
        """Return the channels of a map in each mode, up to eight."""
        drawn = self._rng.choice((1, 2, 3, 5, 8), len(self._modes)).tolist()
        return tuple(sorted(drawn, reverse=True))

    def _extent(self, axis: int) -> int:
        """Return the taps of the next kernel, drawn for both axes at once."""
        if axis == 0:
            self._kernel = KERNELS[self._rng.integers(len(KERNELS))]
        return self._kernel[axis]
