"""Random networks that reach the corners of a DB-PIM chip, from one seed."""

from dataclasses import dataclass, replace
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.layer_norm import SUMS as SQUARE_SUMS
from hwgen.network.maps import Pair, Sides
from hwgen.network.sparsity import ALPHA
from verif.dbpim.network_builder import RELU, ByteRange, NetworkBuilder, Weights, draw_images
from verif.dbpim.random_weights import draw_phis, draw_weights

KINDS = (
    "conv",
    "window",
    "stride",
    "depthwise",
    "inverted",
    "residual",
    "downsample",
    "shortcut",
    "max_pool",
    "average_pool",
    "pool_window",
    "squeeze",
    "product",
    "table",
    "rescale",
    "branches",
    "grown",
)
"""Layers, or blocks of several, that a random network may have before its head."""

ROW_KINDS = ("attention", "softmax", "layer_norm", "embedding")
"""What a chip with a row unit has beside them."""

MOST_KEYS = 20
"""Pixels of keys at most; any number of them."""

HEAD_CHANNELS = (1, 8, 8, 12, 16, 24)
"""Channels of a head: most fill no words of 16."""

ENDS = ("linear", "hidden", "global_pool", "byte_conv", "byte_table")
"""How it ends; the last two answer bytes."""

ONES = (1, 1, 1, 2, 3, 9)
"""Sizes of which half are 1."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Recipe of a random network.

    height, width, channels: of the image
    classes: channels of the answer
    kinds: layers before the head, in order, from KINDS and ROW_KINDS
    end: what comes last, from ENDS
    filters: output channels that a layer may have; a residual has those of its input
    pruned_share: of the blocks (8 filters x one k position) of every layer with weights
    max_digits: non-zero CSD digits of a weight at most; 4 allows every int8
    single_share: of groups of 8 filters none of which has more than one digit
    loose_share: of filters whose weights have up to phi digits, not exactly phi
    empty_share: of layers in which one group of 8 filters is masked entirely
    zero_points: image and maps have zero points other than 0, some maps are signed
    weight_bits: of what macros weigh; with fewer than 8 the highest ones of what is drawn
    """

    height: int = 8
    width: int = 8
    channels: int = 1
    classes: int = 5
    kinds: tuple[str, ...] = ("conv", "residual", "max_pool", "stride", "average_pool")
    end: str = "linear"
    filters: tuple[int, ...] = (4, 8, 13, 16)
    pruned_share: float = 0.5
    max_digits: int = 2
    single_share: float = 0.0
    loose_share: float = 0.25
    empty_share: float = 0.1
    zero_points: bool = True
    weight_bits: int = 8


def draw_recipe(seed: int) -> Recipe:
    """Return a small recipe of random sizes, layer kinds and fractions."""
    rng = np.random.default_rng(seed)
    return Recipe(
        height=int(rng.integers(1, 10)),
        width=int(rng.integers(1, 10)),
        channels=int(rng.choice([1, 2, 3, 4, 7, 13, 19])),
        classes=int(rng.integers(2, 13)),
        kinds=tuple(rng.choice(KINDS, rng.integers(1, 6)).tolist()),
        end=str(rng.choice(ENDS)),
        filters=tuple(rng.integers(1, 25, 3).tolist()),
        pruned_share=float(rng.choice([0.0, 0.3, 0.5, 0.7, 0.9])),
        zero_points=bool(rng.integers(2)),
        # Drawn last: a seed keeps all that it had before there was a choice.
        max_digits=int(rng.choice([2, 2, 2, 2, 3, 4])),
        single_share=float(rng.choice([0.0, 0.5, 0.9])),
    )


def draw_row_recipe(seed: int) -> Recipe:
    """Return the recipe of a seed with one to three of `ROW_KINDS` among two of its own layers."""
    rng, recipe = np.random.default_rng(seed), draw_recipe(seed)
    more = rng.choice(ROW_KINDS, rng.integers(1, 4)).tolist()
    kinds = tuple(rng.permutation([*recipe.kinds[:2], *more]).tolist())
    if rng.integers(3):
        return replace(recipe, kinds=kinds)
    sides = rng.choice(ONES, 2).tolist()
    return replace(recipe, kinds=kinds, height=sides[0], width=sides[1])


def draw_recipe_of_ones(seed: int) -> Recipe:
    """Return a recipe whose images, maps, layers and answers often have a size of 1."""
    rng = np.random.default_rng([seed, 1])
    return Recipe(
        height=int(rng.choice(ONES)),
        width=int(rng.choice(ONES)),
        channels=int(rng.choice(ONES)),
        classes=int(rng.choice(ONES)),
        kinds=tuple(rng.choice(KINDS, rng.integers(0, 5)).tolist()),
        end=str(rng.choice(ENDS)),
        filters=tuple(rng.choice(ONES, 3).tolist()),
        pruned_share=float(rng.choice([0.0, 0.5, 0.9])),
        zero_points=bool(rng.integers(2)),
        max_digits=int(rng.choice([1, 2, 4])),
    )


def random_network(recipe: Recipe, *, seed: int) -> QuantizedNetwork:
    """Return a network of the recipe; the same recipe and seed give the same network."""
    return RandomNetwork(recipe, seed=seed).build()


def random_images(network: QuantizedNetwork, count: int, *, seed: int) -> NDArray[np.uint8]:
    """Return images of the network's shape: (count, height, width, channels)."""
    return draw_images(np.random.default_rng(seed), network.graph.input.shape, count)


def extreme_images(network: QuantizedNetwork) -> NDArray[np.uint8]:
    """Return four images: all 0, all 255, the zero point, and a chequer of 0 and 255."""
    shape = network.graph.input.shape
    chequer = np.indices(shape).sum(axis=0) % 2 * 255
    zero_point = network.graph.input.quantization[0].zero_point
    flat = [np.full(shape, value) for value in (0, 255, zero_point)]
    return np.array([*flat, chequer]).astype(np.uint8)


def silu(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x * sigmoid(x)."""
    return values * sigmoid(values)


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-values))


class RandomNetwork:
    """One draw: each kind of a recipe reads the output of the kind before."""

    def __init__(self, recipe: Recipe, *, seed: int) -> None:
        self._recipe = recipe
        self._rng = np.random.default_rng(seed)
        # Of its own, so that a seed keeps all that it had before there were groups of one digit.
        self._single = np.random.default_rng([seed, 1])
        self._builder = NetworkBuilder(
            name=f"random {seed}",
            shape=(recipe.height, recipe.width, recipe.channels),
            seed=seed,
            zero_point=int(self._rng.integers(1, 255)) if recipe.zero_points else 0,
        )

    def build(self) -> QuantizedNetwork:
        """Return the network: all kinds, then the end."""
        now = INPUT
        for kind in self._recipe.kinds:
            now = getattr(self, f"_{kind}")(now)
        getattr(self, f"_end_{self._recipe.end}")(now)
        return self._builder.build()

    def _end_linear(self, now: str) -> None:
        weights = self._weights(self._recipe.classes, prod(self._builder.features[now].shape))
        self._builder.linear(now, weights, head=True)

    def _end_hidden(self, now: str) -> None:
        for _ in range(2):
            k = prod(self._builder.features[now].shape)
            now = self._builder.linear(now, self._weights(self._filters(), k), output=self._range())
        self._end_linear(now)

    def _end_global_pool(self, now: str) -> None:
        self._end_linear(self._builder.global_pool(now, output=self._range()))

    def _end_byte_conv(self, now: str) -> None:
        self._same(now, self._recipe.classes)

    def _end_byte_table(self, now: str) -> None:
        self._builder.table(now, silu, output=self._range())

    def _conv(self, now: str) -> str:
        kernel = int(self._rng.choice([1, 3, 3, 3, 5]))
        return self._same(now, self._filters(), kernel=kernel)

    def _window(self, now: str) -> str:
        """Append a convolution with other sizes, strides and paddings in each direction."""
        height, width, channels = self._builder.features[now].shape
        kernel = (int(self._rng.integers(1, 6)), int(self._rng.integers(1, 6)))
        padding = self._padding(kernel, (height, width))
        stride = (int(self._rng.integers(1, 4)), int(self._rng.integers(1, 4)))
        weights = self._weights(self._filters(), prod(kernel) * channels)
        return self._builder.conv(
            now, weights, kernel=kernel, stride=stride, padding=padding, output=self._range()
        )

    def _padding(self, kernel: Pair, size: Pair) -> Sides:
        """Return a padding below the kernel with which a window fits."""
        first = [int(self._rng.integers(0, side)) for side in kernel]
        last = [
            int(self._rng.integers(max(0, side - extent - before), max(1, side)))
            for side, extent, before in zip(kernel, size, first, strict=True)
        ]
        return first[0], first[1], last[0], last[1]

    def _depthwise(self, now: str) -> str:
        size = int(self._rng.choice([1, 3, 3, 5]))
        stride = int(self._rng.choice([1, 1, 2]))
        channels = self._builder.features[now].channels
        weights = self._rng.integers(-128, 128, (channels, size * size)).astype(np.int8)
        if channels == 1:
            # One channel alone is a convolution without groups.
            weights = self._weights(1, size * size)
        return self._builder.depthwise(
            now,
            weights,
            kernel=(size, size),
            stride=stride,
            padding=size // 2,
            output=self._range(),
        )

    def _inverted(self, now: str) -> str:
        """Append expansion, depthwise convolution and projection, and a residual."""
        expanded = self._depthwise(self._same(now, 2 * self._filters(), kernel=1))
        before = self._builder.features[now]
        projected = self._same(expanded, before.channels, kernel=1)
        if self._builder.features[projected].shape == before.shape:
            return self._builder.add(projected, now, output=self._range())
        return projected

    def _stride(self, now: str) -> str:
        return self._same(now, self._filters(), stride=2)

    def _residual(self, now: str) -> str:
        inner = self._same(now, self._filters())
        outer = self._same(inner, self._builder.features[now].channels)
        return self._builder.add(outer, now, output=self._range())

    def _downsample(self, now: str) -> str:
        filters = self._filters()
        outer = self._same(self._same(now, filters, stride=2), filters)
        shortcut = self._same(now, filters, kernel=1, stride=2)
        return self._builder.add(outer, shortcut, output=self._range())

    def _shortcut(self, now: str) -> str:
        """Append a block with a shortcut without weights, which adds or drops channels."""
        filters = self._filters()
        outer = self._same(self._same(now, filters, stride=2), filters)
        shortcut = self._builder.shortcut(now, filters, stride=2)
        return self._builder.add(outer, shortcut, output=self._range())

    def _squeeze(self, now: str) -> str:
        """Append squeeze and excite: one factor a channel."""
        channels = self._builder.features[now].channels
        mean = self._builder.global_pool(now, output=self._range())
        inner = self._builder.table(self._same(mean, self._filters(), kernel=1), silu)
        outer = self._same(inner, channels, kernel=1)
        factor = self._builder.table(outer, sigmoid)
        return self._builder.multiply(now, factor, output=self._range())

    def _product(self, now: str) -> str:
        other = self._same(now, self._builder.features[now].channels)
        return self._builder.multiply(now, other, output=self._range())

    def _attention(self, now: str) -> str:
        """Append scores, shares, values and a matrix; keys are the pixels of a smaller map."""
        keys = now
        while prod(self._builder.features[keys].shape[:2]) > MOST_KEYS:
            keys = self._builder.max_pool(keys, kernel=3, stride=2, padding=1)
        heads = int(self._rng.integers(1, 4))
        width = heads * int(self._rng.choice(HEAD_CHANNELS))
        query = self._same(now, width, kernel=1)
        key, value = self._same(keys, width), self._same(keys, width, kernel=1)
        products = self._builder.matmul
        scores = products(query, key, groups=heads, transposed=True, output=self._range())
        if self._rng.integers(4):
            scores = self._builder.softmax(scores, groups=heads)
        mixed = products(scores, value, groups=heads, transposed=False, output=self._range())
        return self._same(mixed, self._filters(), kernel=1)

    def _softmax(self, now: str) -> str:
        """Append shares of all channels of a pixel, as many as there are."""
        return self._builder.softmax(now, groups=1)

    def _layer_norm(self, now: str) -> str:
        """Append a norm of whole eights of channels, with a mean or without one."""
        wide = self._same(now, SQUARE_SUMS * int(self._rng.integers(1, 6)), kernel=1)
        order: Literal["eight", "rms"] = "rms" if self._rng.integers(2) else "eight"
        return self._builder.layer_norm(wide, output=self._range(), order=order)

    def _embedding(self, now: str) -> str:
        """Append a constant that is added."""
        return self._builder.add(now, self._builder.constant(like=now), output=self._range())

    def _table(self, now: str) -> str:
        return self._builder.table(now, silu, output=self._range())

    def _rescale(self, now: str) -> str:
        return self._builder.rescale(now, output=self._range())

    def _branches(self, now: str) -> str:
        """Append the channels of two or three branches of any number of channels."""
        first = self._same(now, self._filters(), kernel=1)
        others = [self._same(now, self._filters()) for _ in range(int(self._rng.integers(1, 3)))]
        alike = [self._builder.rescale(other, like=first) for other in others]
        return self._builder.concatenate(first, *alike)

    def _grown(self, now: str) -> str:
        """Append a convolution of more pixels, repeated or with zeros between them."""
        factors = [
            int(self._rng.choice([1, 2, 4] if side <= 4 else [1, 2] if side <= 9 else [1]))
            for side in self._builder.features[now].shape[:2]
        ]
        zeros = bool(self._rng.integers(2))
        larger = self._builder.upsample(now, (factors[0], factors[1]), zeros=zeros)
        return self._same(larger, self._filters())

    def _max_pool(self, now: str) -> str:
        if min(self._builder.features[now].shape[:2]) < 2 or self._rng.integers(2):
            return self._builder.max_pool(now, kernel=3, stride=2, padding=1)
        return self._builder.max_pool(now, kernel=2, stride=2)

    def _average_pool(self, now: str) -> str:
        height, width, _ = self._builder.features[now].shape
        kernel = (int(self._rng.integers(1, height + 1)), int(self._rng.integers(1, width + 1)))
        stride = int(self._rng.integers(1, max(kernel) + 1))
        return self._builder.average_pool(now, kernel=kernel, stride=stride, output=self._range())

    def _pool_window(self, now: str) -> str:
        """Append a pool with other sizes, strides and paddings in each direction."""
        height, width, _ = self._builder.features[now].shape
        kernel = (int(self._rng.integers(1, 5)), int(self._rng.integers(1, 5)))
        padding = self._padding(kernel, (height, width))
        stride = (int(self._rng.integers(1, 4)), int(self._rng.integers(1, 4)))
        if self._rng.integers(2):
            return self._builder.max_pool(now, kernel=kernel, stride=stride, padding=padding)
        return self._builder.average_pool(
            now, kernel=kernel, stride=stride, padding=padding, output=self._range()
        )

    def _same(self, now: str, filters: int, *, kernel: int = 3, stride: int = 1) -> str:
        """Append a convolution whose padding keeps the map size, but for the stride."""
        k = kernel * kernel * self._builder.features[now].channels
        return self._builder.conv(
            now,
            self._weights(filters, k),
            kernel=(kernel, kernel),
            stride=stride,
            padding=kernel // 2,
            output=self._range(),
        )

    def _filters(self) -> int:
        return int(self._rng.choice(self._recipe.filters))

    def _weights(self, filters: int, k: int) -> Weights:
        recipe = self._recipe
        phis = draw_phis(self._rng, filters=filters, max_digits=recipe.max_digits)
        for first in range(0, filters, ALPHA):
            if self._single.random() < recipe.single_share:
                phis[first : first + ALPHA] = phis[first : first + ALPHA].clip(max=1)
        weights = draw_weights(
            self._rng,
            phis=phis,
            k=k,
            pruned_share=recipe.pruned_share,
            loose_share=recipe.loose_share,
        )
        if filters > ALPHA and self._rng.random() < recipe.empty_share:
            first = ALPHA * int(self._rng.integers(-(-filters // ALPHA)))
            weights[first : first + ALPHA] = 0
        narrowed: Weights = weights >> 8 - recipe.weight_bits
        return narrowed

    def _range(self) -> ByteRange:
        """Return ReLU, ReLU6 or a signed range."""
        if not self._recipe.zero_points:
            return RELU
        zero, signed, high = (int(self._rng.integers(*r)) for r in ((1, 40), (64, 192), (150, 256)))
        choices = ByteRange(zero, zero, 255), ByteRange(zero, zero, high), ByteRange(signed, 0, 255)
        return choices[self._rng.integers(len(choices))]
