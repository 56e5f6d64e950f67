"""Valid quantized networks, layer by layer, scaled so that the maps use the whole byte.

The builder runs golden on random images as it goes: bias, multiplier and shift of a layer follow
from the sums that really occur, so that outputs spread instead of all being clipped.
"""

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from golden.ops.maps import map_product, window_sums
from hwgen.network import (
    Add,
    AveragePool,
    Concatenate,
    Constant,
    Conv,
    LayerNorm,
    Linear,
    MatMul,
    MaxPool,
    Multiply,
    Requantization,
    Rescale,
    Shortcut,
    Softmax,
    Table,
    Upsample,
)
from hwgen.network.maps import Pair, Shape, Sides
from hwgen.network.quantization import HALF_UP, fixed_point
from verif.dbpim.calibration import (
    RELU,
    SIGNED,
    ByteRange,
    Bytes,
    Scaling,
    Weights,
    draw_images,
    feature_map,
    magnitude,
    scale_of,
    window_size,
)
from verif.dbpim.graph_builder import GraphBuilder

__all__ = [
    "RELU",
    "SIGNED",
    "ByteRange",
    "Bytes",
    "NetworkBuilder",
    "Scaling",
    "Shape",
    "Weights",
    "draw_images",
]

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Window(TypedDict):
    """Keys of a layer with a window."""

    kernel: Pair
    stride: Pair
    padding: Sides


class NetworkBuilder(GraphBuilder):
    """Append layers to the maps they read, by name; every method returns its output's name."""

    def conv(
        self,
        source: str,
        weights: Weights,
        *,
        kernel: Pair = (3, 3),
        stride: int | Pair = 1,
        padding: int | Sides = 1,
        groups: int = 1,
        output: ByteRange = RELU,
        scaling: Scaling | None = None,
        head: bool = False,
    ) -> str:
        """Append a convolution; weights: (filters, k), k over (kh, kw, c / groups)."""
        before = self.features[source]
        window = Window(kernel=kernel, stride=pair(stride), padding=four(padding))
        size = window_size(before, **window)
        layer = Conv(
            op="conv",
            groups=groups,
            weight_bits=8,
            weight_grid="integer",
            rounding=HALF_UP,
            **window,
            **self._common(
                "conv", source, self._output_of((*size, len(weights)), source, output, head=head)
            ),
        )
        shaped = weights.reshape(-1, *kernel, before.channels // groups)
        return self._weighted(layer, shaped, scaling)

    def depthwise(
        self,
        source: str,
        weights: Weights,
        *,
        kernel: Pair = (3, 3),
        stride: int | Pair = 1,
        padding: int | Sides = 1,
        output: ByteRange = RELU,
    ) -> str:
        """Append a convolution of each channel alone; weights: (channels, kh * kw)."""
        return self.conv(
            source,
            weights,
            kernel=kernel,
            stride=stride,
            padding=padding,
            groups=len(weights),
            output=output,
        )

    def linear(
        self,
        source: str,
        weights: Weights,
        *,
        output: ByteRange = RELU,
        scaling: Scaling | None = None,
        head: bool = False,
    ) -> str:
        """Append a fully connected layer; weights: (filters, height * width * channels)."""
        feature = self._output_of((1, 1, len(weights)), source, output, head=head)
        common = self._common("linear", source, feature)
        layer = Linear(
            op="linear", weight_bits=8, weight_grid="integer", rounding=HALF_UP, **common
        )
        return self._weighted(layer, weights, scaling)

    def max_pool(
        self, source: str, *, kernel: int | Pair, stride: int | Pair, padding: int | Sides = 0
    ) -> str:
        """Append a maximum pool; scale, zero point and range stay those of its input."""
        window = Window(kernel=pair(kernel), stride=pair(stride), padding=four(padding))
        height, width = window_size(self.features[source], **window)
        output = replace(self.features[source], height=height, width=width)
        common = self._common("max_pool", source, output)
        return self._append(MaxPool(op="max_pool", **window, **common))

    def average_pool(
        self,
        source: str,
        *,
        kernel: Pair,
        stride: int | Pair,
        padding: int | Sides = 0,
        output: ByteRange = RELU,
    ) -> str:
        """Append a mean; its output scale brings the means back to the whole byte."""
        before, n = self.features[source], prod(kernel)
        window = Window(kernel=kernel, stride=pair(stride), padding=four(padding))
        zero_point = before.quantization[0].zero_point
        sums = window_sums(self.maps[source], zero_point=zero_point, **window)
        gain = output.reach / magnitude(sums / n)
        size = window_size(before, **window)
        layer = AveragePool(
            rounding=HALF_UP,
            divisor="window",
            center=None,
            op="average_pool",
            requantization=one_factor(gain / n),
            **window,
            **self._common(
                "average_pool",
                source,
                feature_map((*size, before.channels), output, scale=scale_of(before) / gain),
            ),
        )
        return self._append(layer)

    def global_pool(self, source: str, *, output: ByteRange = RELU) -> str:
        """Append the mean over the whole map."""
        height, width, _ = self.features[source].shape
        return self.average_pool(source, kernel=(height, width), stride=1, output=output)

    def add(self, a: str, b: str, *, output: ByteRange = RELU) -> str:
        """Append a residual add; the multipliers follow from the scales of a and b."""
        real_a, real_b = self.real(a), self.real(b)
        scale = magnitude(real_a + real_b, at_least=1e-3) / output.reach
        gains = [scale_of(self.features[name]) / scale for name in (a, b)]
        _, shift = fixed_point(max(gains))
        multipliers = tuple(round(gain * 2**shift) for gain in gains)
        layer = Add(
            rounding=HALF_UP,
            operand_shifts=(),
            op="add",
            requantization=(Requantization(multipliers=multipliers, shift=shift),),
            **self._common("add", (a, b), feature_map(self.features[a].shape, output, scale=scale)),
        )
        return self._append(layer)

    def multiply(self, a: str, b: str, *, output: ByteRange = RELU) -> str:
        """Append the product of two maps; b may be one pixel."""
        scale = magnitude(self.real(a) * self.real(b), at_least=1e-3) / output.reach
        factor = scale_of(self.features[a]) * scale_of(self.features[b]) / scale
        feature = feature_map(self.features[a].shape, output, scale=scale)
        common = self._common("multiply", (a, b), feature)
        return self._append(
            Multiply(rounding=HALF_UP, op="multiply", requantization=one_factor(factor), **common)
        )

    def matmul(
        self, a: str, b: str, *, groups: int, transposed: bool, output: ByteRange = RELU
    ) -> str:
        """Append scores (`transposed`) or values of two maps, of any heads."""
        zero_points = tuple(self.features[name].quantization[0].zero_point for name in (a, b))
        sums = map_product(
            self.maps[a],
            self.maps[b],
            groups=groups,
            transposed=transposed,
            zero_points=(zero_points[0], zero_points[1]),
        )
        gain = output.reach / magnitude(sums.astype(np.float64), at_least=1.0)
        scale = scale_of(self.features[a]) * scale_of(self.features[b]) / gain
        feature = feature_map(sums.shape[1:], output, scale=scale)
        common = self._common("matmul", (a, b), feature)
        return self._append(
            MatMul(
                op="matmul",
                groups=groups,
                transposed=transposed,
                rounding=HALF_UP,
                requantization=one_factor(gain),
                **common,
            )
        )

    def softmax(self, source: str, *, groups: int) -> str:
        """Append shares of each group, of a largest byte that is some e^2 to e^12 of the least."""
        name = f"softmax_{len(self._layers)}"
        falls = np.arange(256) * self.rng.uniform(2, 12) / 255
        exponentials = np.exp(3 - falls).astype(np.float32)
        self._held[name] = {"exponentials": exponentials.view(np.uint32)}
        output = feature_map(self.features[source].shape, RELU, scale=1 / 256)
        common = self._common("softmax", source, output)
        factor = int(self.rng.integers(200, 257))
        return self._append(Softmax(op="softmax", groups=groups, factor=factor, **common))

    def layer_norm(
        self,
        source: str,
        *,
        output: ByteRange = RELU,
        order: Literal["eight", "rms"] = "eight",
    ) -> str:
        """Append a norm of drawn gains, whose deviation is a third of the byte's longer side."""
        before, name = self.features[source], f"layer_norm_{len(self._layers)}"
        steps = np.arange(256) - before.quantization[0].zero_point
        numbers = {
            "values": steps * scale_of(before),
            "gamma": self.rng.normal(1, 0.3, before.channels),
            "beta": self.rng.normal(0, 0.5, before.channels),
            "constants": np.array([1e-5, 3 / output.reach]),
        }
        self._held[name] = {
            key: each.astype(np.float32).view(np.uint32) for key, each in numbers.items()
        }
        feature = feature_map(before.shape, output, scale=3 / output.reach)
        common = self._common("layer_norm", source, feature)
        return self._append(LayerNorm(op="layer_norm", order=order, **common))

    def constant(self, *, like: str) -> str:
        """Append a drawn map of another's size and quantization."""
        output, name = self.features[like], f"constant_{len(self._layers)}"
        values = output.quantization[0]
        held = self.rng.integers(values.low, values.high + 1, output.shape)
        self._held[name] = {"map": held.astype(np.uint8)}
        return self._append(Constant(op="constant", **self._common("constant", (), output)))

    def rescale(self, source: str, *, output: ByteRange = RELU, like: str = "") -> str:
        """Append a map of other quantization: that of the map `like`, or a whole byte."""
        before = self.features[source]
        if like:
            feature = replace(
                before,
                quantization=self.features[like].quantization,
            )
        else:
            scale = magnitude(self.real(source), at_least=1e-3) / output.reach
            feature = feature_map(before.shape, output, scale=scale)
        factor = scale_of(before) / scale_of(feature)
        common = self._common("rescale", source, feature)
        return self._append(
            Rescale(rounding=HALF_UP, op="rescale", requantization=one_factor(factor), **common)
        )

    def table(self, source: str, function: Function, *, output: ByteRange = RELU) -> str:
        """Append a function of real values, both ranges scaled to reach 6 on their longer side."""
        before = self.features[source].quantization[0]
        reach = max(before.high - before.zero_point, before.zero_point - before.low, 1)
        real = (np.arange(256, dtype=np.float64) - before.zero_point) * (6 / reach)
        values = function(real)
        entries = np.round(values * (output.reach / magnitude(values, at_least=1e-3)))
        clipped = (entries + output.zero_point).clip(output.low, output.high)
        feature = feature_map(self.features[source].shape, output, scale=6 / output.reach)
        common = self._common("table", source, feature)
        self._tables[common["name"]] = clipped.astype(np.uint8)[np.newaxis]
        return self._append(Table(op="table", **common))

    def shortcut(self, source: str, channels: int, *, stride: int | Pair = 2) -> str:
        """Append every stride-th pixel, with zeros above the input's channels."""
        before, (down, across) = self.features[source], pair(stride)
        output = replace(
            before,
            height=(before.height - 1) // down + 1,
            width=(before.width - 1) // across + 1,
            channels=channels,
        )
        common = self._common("shortcut", source, output)
        return self._append(Shortcut(op="shortcut", stride=pair(stride), **common))

    def upsample(self, source: str, factor: Pair, *, zeros: bool = False) -> str:
        """Append a larger map: pixels repeated, or zeros between them."""
        before, (down, across) = self.features[source], factor
        height, width = before.height * down, before.width * across
        if zeros:
            height, width = height - down + 1, width - across + 1
        values = before.quantization[0]
        low, high = min(values.low, values.zero_point), max(values.high, values.zero_point)
        output = replace(
            before, height=height, width=width, quantization=(replace(values, low=low, high=high),)
        )
        common = self._common("upsample", source, output)
        fill: Literal["repeat", "zero"] = "zero" if zeros else "repeat"
        return self._append(Upsample(op="upsample", factor=factor, fill=fill, **common))

    def concatenate(self, *sources: str) -> str:
        """Append the channels of maps of one quantization (`rescale` makes them so)."""
        features = [self.features[source] for source in sources]
        values = [feature.quantization[0] for feature in features]
        low, high = min(each.low for each in values), max(each.high for each in values)
        output = replace(
            features[0],
            channels=sum(feature.channels for feature in features),
            quantization=(replace(values[0], low=low, high=high),),
        )
        common = self._common("concatenate", sources, output)
        return self._append(Concatenate(op="concatenate", **common))


def pair(given: int | Pair) -> Pair:
    """Return one value for both directions as two."""
    return (given, given) if isinstance(given, int) else given


def four(given: int | Sides) -> Sides:
    """Return one padding for all sides as four."""
    return (given, given, given, given) if isinstance(given, int) else given


def one_factor(factor: float) -> tuple[Requantization, ...]:
    """Return the requantization by one real factor."""
    multiplier, shift = fixed_point(factor)
    return (Requantization(multipliers=(multiplier,), shift=shift),)
