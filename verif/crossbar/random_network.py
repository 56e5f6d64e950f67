"""Random networks that reach the corners of a synthesized crossbar chip, from one seed."""

from dataclasses import dataclass

import numpy as np

from hwgen.network import INPUT, QuantizedNetwork
from verif.common.drawing import Drawing

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]

KINDS = (
    "conv",
    "window",
    "stride",
    "depthwise",
    "grouped",
    "residual",
    "downsample",
    "shortcut",
    "max_pool",
    "average_pool",
    "pool_window",
    "branches",
    "pooled_branch",
    "table",
    "unread",
    "head",
    "told",
)
"""Layers, or blocks of several, that a random network may have before its end."""

ENDS = ("linear", "hidden", "global_pool", "conv", "table", "pool", "concatenation", "sum")
"""How it ends: the first three with raw sums, the others answer bytes."""

SIDES = (1, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 8, 9, 11, 13, 16)
"""Pixels of an image; small ones are drawn more often, as copies of weights follow pixels."""

CHANNELS = (1, 1, 1, 2, 3, 4, 5, 6, 7, 8)
"""Of a layer, and of the answer: what is one bit or one lane has corners of its own."""

MOST_LAYERS = 5
"""Of kinds that follow each other: none is appended to so many."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Recipe of a random network.

    height, width, channels: of the image; classes: channels of the answer
    kinds: layers before the end, in order, from KINDS; end: what comes last, from ENDS
    filters: output channels that a layer may have
    """

    height: int = 6
    width: int = 6
    channels: int = 3
    classes: int = 5
    kinds: tuple[str, ...] = ("conv", "residual", "max_pool")
    end: str = "linear"
    filters: tuple[int, ...] = (3, 8)


def draw_recipe(seed: int) -> Recipe:
    """Return a small recipe of random sizes and layer kinds."""
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.choice(SIDES, 2))
    return Recipe(
        height=height,
        width=height if rng.integers(2) else width,
        channels=int(rng.choice([1, 1, 2, 3, 4])),
        classes=int(rng.choice(CHANNELS)),
        kinds=tuple(rng.choice(KINDS, rng.integers(1, 5)).tolist()),
        end=str(rng.choice(ENDS)),
        filters=tuple(rng.choice(CHANNELS, 3).tolist()),
    )


def random_network(recipe: Recipe, *, seed: int) -> QuantizedNetwork:
    """Return a network of the recipe; the same recipe and seed give the same network."""
    return RandomNetwork(recipe, seed=seed).build()


class RandomNetwork:
    """One draw: each kind of a recipe reads the output of the kind before."""

    def __init__(self, recipe: Recipe, *, seed: int) -> None:
        self._recipe = recipe
        shape = recipe.height, recipe.width, recipe.channels
        self._net = Drawing(seed, modes=("full",), shape=shape)
        self._rng = self._net.rng
        self._outputs: list[str] = []

    def build(self) -> QuantizedNetwork:
        """Return the network: its kinds while there is room, then the end."""
        # An addition, a table and a concatenation read maps of layers, never the image.
        now = self._conv(INPUT)
        for kind in self._recipe.kinds:
            if self._net.count < MOST_LAYERS:
                now = getattr(self, f"_{kind}")(now)
        answer = getattr(self, f"_end_{self._recipe.end}")(now)
        others = [name for name in self._outputs if name != answer]
        return self._net.build(answer, *dict.fromkeys(others))

    def _end_linear(self, now: str) -> str:
        return self._net.linear(now, (self._recipe.classes,), bits=32)

    def _end_hidden(self, now: str) -> str:
        return self._end_linear(self._net.linear(now, (self._filters(),)))

    def _end_global_pool(self, now: str) -> str:
        return self._end_linear(self._average(now, self._net.size(now), (1, 1)))

    def _end_conv(self, now: str) -> str:
        return self._same(now, self._recipe.classes)

    def _end_table(self, now: str) -> str:
        return self._table(now)

    def _end_pool(self, now: str) -> str:
        return self._max_pool(now)

    def _end_concatenation(self, now: str) -> str:
        return self._branches(now)

    def _end_sum(self, now: str) -> str:
        return self._residual(now)

    def _conv(self, now: str) -> str:
        return self._same(now, self._filters(), kernel=int(self._rng.choice([1, 3, 3, 5])))

    def _stride(self, now: str) -> str:
        return self._same(now, self._filters(), stride=2)

    def _window(self, now: str) -> str:
        """Append a convolution with other sizes, strides and paddings in each direction."""
        kernel, stride, padding = self._any_window(now, largest=5)
        return self._net.conv(
            now, (self._filters(),), kernel=kernel, stride=stride, padding=padding
        )

    def _depthwise(self, now: str) -> str:
        (channels,) = self._net.channels(now)
        return self._grouped_by(now, channels, channels)

    def _grouped(self, now: str) -> str:
        """Append a convolution in as many groups as its input allows, one if it is a prime."""
        (channels,) = self._net.channels(now)
        groups = int(self._rng.choice([n for n in range(1, channels + 1) if channels % n == 0]))
        return self._grouped_by(now, groups, groups * int(self._rng.integers(1, 3)))

    def _grouped_by(self, now: str, groups: int, filters: int) -> str:
        kernel, stride = int(self._rng.choice([1, 3, 3, 5])), int(self._rng.choice([1, 1, 2]))
        return self._same(now, filters, kernel=kernel, stride=stride, groups=groups)

    def _residual(self, now: str) -> str:
        if now.startswith("concatenate"):
            # An operand of an addition is the map of one layer.
            now = self._same(now, self._filters(), kernel=1)
        (channels,) = self._net.channels(now)
        inner = self._same(now, self._filters()) if self._rng.integers(2) else now
        return self._net.add(self._same(inner, channels), now)

    def _downsample(self, now: str) -> str:
        filters = self._filters()
        outer = self._same(self._same(now, filters, stride=2), filters)
        return self._net.add(outer, self._same(now, filters, kernel=1, stride=2))

    def _shortcut(self, now: str) -> str:
        """Append a block with a shortcut without weights, which adds or drops channels."""
        filters = self._filters()
        outer = self._same(self._same(now, filters, stride=2), filters)
        return self._net.add(self._net.shortcut(now, (filters,), stride=(2, 2)), outer)

    def _branches(self, now: str) -> str:
        """Append the channels of two or three branches of any number of channels."""
        first = self._same(now, self._filters(), kernel=1)
        kernels = self._rng.choice([1, 3], self._rng.integers(1, 3)).tolist()
        others = [self._same(now, self._filters(), kernel=size, like=first) for size in kernels]
        return self._net.concatenate(first, *others)

    def _pooled_branch(self, now: str) -> str:
        """Append the maxima of a map, and a convolution beside them."""
        pooled = self._net.max_pool(now, kernel=(3, 3), stride=(1, 1), padding=(1, 1, 1, 1))
        return self._net.concatenate(pooled, self._same(now, self._filters(), like=pooled))

    def _table(self, now: str) -> str:
        """Append a function of a map that nobody else reads."""
        return self._net.table(self._same(now, self._filters(), kernel=1))

    def _unread(self, now: str) -> str:
        """Append a map that nobody reads, beside the others."""
        if self._rng.integers(2):
            self._max_pool(now)
        else:
            self._conv(now)
        return now

    def _head(self, now: str) -> str:
        """Append another answer, beside the others."""
        end = "linear" if self._rng.integers(2) else "conv"
        self._outputs.append(getattr(self, f"_end_{end}")(now))
        return now

    def _told(self, now: str) -> str:
        """Make a map an answer that is read as well."""
        self._outputs.append(now)
        return now

    def _max_pool(self, now: str) -> str:
        stride = int(self._rng.integers(1, 3))
        kind = int(self._rng.integers(3))
        if kind == 0:
            # One tap: pixels are left out, or the map is copied.
            return self._net.max_pool(
                now, kernel=(1, 1), stride=(stride, stride), padding=(0, 0, 0, 0)
            )
        if kind == 1 or min(self._net.size(now)) < 2:
            return self._net.max_pool(
                now, kernel=(3, 3), stride=(stride, stride), padding=(1, 1, 1, 1)
            )
        return self._net.max_pool(now, kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0))

    def _average_pool(self, now: str) -> str:
        height, width = self._net.size(now)
        kernel = int(self._rng.integers(1, height + 1)), int(self._rng.integers(1, width + 1))
        stride = int(self._rng.integers(1, max(kernel) + 1))
        return self._average(now, kernel, (stride, stride))

    def _pool_window(self, now: str) -> str:
        """Append a pool with other sizes, strides and paddings in each direction."""
        kernel, stride, padding = self._any_window(now, largest=4)
        if self._rng.integers(2):
            return self._net.max_pool(now, kernel=kernel, stride=stride, padding=padding)
        return self._average(now, kernel, stride, padding)

    def _average(self, now: str, kernel: Pair, stride: Pair, padding: Sides = (0, 0, 0, 0)) -> str:
        return self._net.average_pool(now, kernel=kernel, stride=stride, padding=padding)

    def _any_window(self, now: str, *, largest: int) -> tuple[Pair, Pair, Sides]:
        """Return kernel, stride, and a padding below the kernel with which the window fits."""
        kernel, stride, first, last = [], [], [], []
        for extent in self._net.size(now):
            side = int(self._rng.integers(1, largest + 1))
            before = int(self._rng.integers(side))
            fewest = max(0, side - extent - before)
            kernel.append(side)
            stride.append(int(self._rng.integers(1, 4)))
            first.append(before)
            last.append(int(self._rng.integers(fewest, max(1, side))))
        return (
            (kernel[0], kernel[1]),
            (stride[0], stride[1]),
            (first[0], first[1], last[0], last[1]),
        )

    def _same(
        self,
        now: str,
        filters: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        like: str | None = None,
    ) -> str:
        """Append a convolution whose padding keeps the map size, but for the stride."""
        around = kernel // 2
        return self._net.conv(
            now,
            (filters,),
            kernel=(kernel, kernel),
            stride=(stride, stride),
            padding=(around, around, around, around),
            groups=groups,
            like=like,
        )

    def _filters(self) -> int:
        return int(self._rng.choice(self._recipe.filters))
