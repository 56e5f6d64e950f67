"""Random networks that reach the corners of a DB-PIM chip, from one seed."""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from hwgen.spec.network import INPUT, QuantizedNetwork
from hwgen.spec.sparsity import ALPHA
from verif.dbpim.network_builder import RELU, ByteRange, NetworkBuilder, Weights, draw_images
from verif.dbpim.random_weights import draw_phis, draw_weights

KINDS = ("conv", "stride", "residual", "downsample", "max_pool", "average_pool")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Recipe of a random network.

    height, width, channels: of the image
    classes: outputs of the head, which is a linear layer
    kinds: layers before the head, in order; `residual` and `downsample` are blocks of several
    filters: output channels that a layer may have; a residual has those of its input
    pruned_share: of the blocks (8 filters x one k position) of every layer with weights
    max_digits: non-zero CSD digits of a weight at most; 4 allows every int8
    loose_share: of filters whose weights have up to phi digits, not exactly phi
    empty_share: of layers in which one group of 8 filters is masked entirely
    zero_points: image and maps have zero points other than 0, some maps are signed
    """

    height: int = 8
    width: int = 8
    channels: int = 1
    classes: int = 5
    kinds: tuple[str, ...] = ("conv", "residual", "max_pool", "stride", "average_pool")
    filters: tuple[int, ...] = (4, 8, 13, 16)
    pruned_share: float = 0.5
    max_digits: int = 2
    loose_share: float = 0.25
    empty_share: float = 0.1
    zero_points: bool = True


def draw_recipe(seed: int) -> Recipe:
    """Return a small recipe of random sizes, layer kinds and fractions."""
    rng = np.random.default_rng(seed)
    return Recipe(
        height=int(rng.integers(1, 10)),
        width=int(rng.integers(1, 10)),
        channels=int(rng.integers(1, 5)),
        classes=int(rng.integers(2, 13)),
        kinds=tuple(rng.choice(KINDS, rng.integers(1, 5)).tolist()),
        filters=tuple(rng.integers(1, 25, 3).tolist()),
        pruned_share=float(rng.choice([0.0, 0.3, 0.5, 0.7, 0.9])),
        zero_points=bool(rng.integers(2)),
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


class RandomNetwork:
    """One draw: each kind of a recipe reads the output of the kind before."""

    def __init__(self, recipe: Recipe, *, seed: int) -> None:
        self._recipe = recipe
        self._rng = np.random.default_rng(seed)
        self._builder = NetworkBuilder(
            name=f"random {seed}",
            shape=(recipe.height, recipe.width, recipe.channels),
            seed=seed,
            zero_point=int(self._rng.integers(1, 255)) if recipe.zero_points else 0,
        )

    def build(self) -> QuantizedNetwork:
        """Return the network: all kinds, then a linear head."""
        now = INPUT
        for kind in self._recipe.kinds:
            now = getattr(self, f"_{kind}")(now)
        shape = self._builder.features[now].shape
        weights = self._weights(self._recipe.classes, prod(shape))
        self._builder.linear(now, weights, head=True)
        return self._builder.build()

    def _conv(self, now: str) -> str:
        kernel = int(self._rng.choice([1, 3, 3, 3, 5]))
        return self._same(now, self._filters(), kernel=kernel)

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

    def _max_pool(self, now: str) -> str:
        if min(self._builder.features[now].shape[:2]) < 2 or self._rng.integers(2):
            return self._builder.max_pool(now, kernel=3, stride=2, padding=1)
        return self._builder.max_pool(now, kernel=2, stride=2)

    def _average_pool(self, now: str) -> str:
        height, width, _ = self._builder.features[now].shape
        kernel = (int(self._rng.integers(1, height + 1)), int(self._rng.integers(1, width + 1)))
        stride = int(self._rng.integers(1, max(kernel) + 1))
        return self._builder.average_pool(now, kernel=kernel, stride=stride, output=self._range())

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
        weights = draw_weights(
            self._rng,
            phis=draw_phis(self._rng, filters=filters, max_digits=recipe.max_digits),
            k=k,
            pruned_share=recipe.pruned_share,
            loose_share=recipe.loose_share,
        )
        if filters > ALPHA and self._rng.random() < recipe.empty_share:
            first = ALPHA * int(self._rng.integers(-(-filters // ALPHA)))
            weights[first : first + ALPHA] = 0
        return weights

    def _range(self) -> ByteRange:
        """Return ReLU, ReLU6 or a signed range."""
        if not self._recipe.zero_points:
            return RELU
        zero, signed, high = (int(self._rng.integers(*r)) for r in ((1, 40), (64, 192), (150, 256)))
        choices = ByteRange(zero, zero, 255), ByteRange(zero, zero, high), ByteRange(signed, 0, 255)
        return choices[self._rng.integers(len(choices))]
