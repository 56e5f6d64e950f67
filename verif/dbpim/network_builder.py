"""Valid quantized networks, layer by layer, scaled so that the maps use the whole byte.

The builder runs golden on random images as it goes: bias, multiplier and shift of a layer follow
from the sums that really occur, so that outputs spread instead of all being clipped.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.network import accumulate, infer_layer
from golden.ops.windows import windows
from hwgen.spec.network import (
    INPUT,
    ONE_MODE,
    Add,
    AveragePool,
    Conv,
    FeatureMap,
    Graph,
    Layer,
    Linear,
    MaxPool,
    Parameters,
    QuantizedNetwork,
    Requantization,
    byte_map,
    raw_map,
)
from hwgen.spec.network.check import check_network
from hwgen.spec.quantization import fixed_point

Bytes = NDArray[np.uint8]
Weights = NDArray[np.int8]
Shape = tuple[int, int, int]

CALIBRATION_IMAGES = 16
DEVIATIONS = 2.5
"""Standard deviations of a sum between the zero point and the far end of the byte range."""
HEAD_WEIGHT_SCALE = 1 / 64


class ByteRange(NamedTuple):
    """Zero point and clip of an output map."""

    zero_point: int
    low: int
    high: int

    @property
    def reach(self) -> int:
        """Steps from the zero point to the far end."""
        return max(1, self.high - self.zero_point, self.zero_point - self.low)


RELU = ByteRange(0, 0, 255)
SIGNED = ByteRange(128, 0, 255)


class Scaling(NamedTuple):
    """Integers of a layer's output channels, given instead of calibrated."""

    bias: Sequence[int]
    multiplier: Sequence[int]
    shift: Sequence[int]


def draw_images(rng: np.random.Generator, shape: Shape, count: int) -> Bytes:
    """Return random images (count, height, width, channels), some dim, some mostly zero."""
    images = rng.integers(0, 256, (count, *shape))
    lit = rng.random(images.shape) < rng.choice([1.0, 0.5, 0.2], (count, 1, 1, 1))
    dimness = rng.choice([0, 0, 1, 4], (count, 1, 1, 1))
    blended: Bytes = ((images >> dimness) * lit).astype(np.uint8)
    return blended


class NetworkBuilder:
    """Append layers to the maps they read, by name; every method returns its output's name."""

    def __init__(self, *, name: str, shape: Shape, seed: int, zero_point: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self._name = name
        self._layers: list[Layer] = []
        self._parameters: dict[str, Parameters] = {}
        self.features = {INPUT: feature_map(shape, ByteRange(zero_point, 0, 255), scale=1 / 64)}
        self.maps = {INPUT: draw_images(self.rng, shape, CALIBRATION_IMAGES)}

    def conv(
        self,
        source: str,
        weights: Weights,
        *,
        kernel: tuple[int, int] = (3, 3),
        stride: int = 1,
        padding: int = 1,
        output: ByteRange = RELU,
        scaling: Scaling | None = None,
        head: bool = False,
    ) -> str:
        """Append a convolution; weights: (filters, k), k over (kh, kw, c)."""
        before = self.features[source]
        size = window_steps(before, kernel, stride=stride, padding=padding)
        layer = Conv(
            name=f"conv_{len(self._layers)}",
            op="conv",
            inputs=(source,),
            output=self._output_of((*size, len(weights)), source, output, head=head),
            source="",
            kernel=kernel,
            stride=(stride, stride),
            padding=(padding,) * 4,
            groups=1,
            weight_bits=8,
            weight_grid="integer",
        )
        return self._weighted(layer, weights.reshape(-1, *kernel, before.channels), scaling)

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
        layer = Linear(
            name=f"linear_{len(self._layers)}",
            op="linear",
            inputs=(source,),
            output=self._output_of((1, 1, len(weights)), source, output, head=head),
            source="",
            weight_bits=8,
            weight_grid="integer",
        )
        return self._weighted(layer, weights, scaling)

    def max_pool(self, source: str, *, kernel: int, stride: int, padding: int = 0) -> str:
        """Append a maximum pool; scale, zero point and range stay those of its input."""
        before = self.features[source]
        height, width = window_steps(before, (kernel, kernel), stride=stride, padding=padding)
        layer = MaxPool(
            name=f"max_pool_{len(self._layers)}",
            op="max_pool",
            inputs=(source,),
            output=replace(before, height=height, width=width),
            source="",
            kernel=(kernel, kernel),
            stride=(stride, stride),
            padding=(padding,) * 4,
        )
        return self._append(layer)

    def average_pool(
        self, source: str, *, kernel: tuple[int, int], stride: int, output: ByteRange = RELU
    ) -> str:
        """Append a mean; its output scale brings the means back to the whole byte."""
        before = self.features[source]
        n = kernel[0] * kernel[1]
        means = windows(self.maps[source], kernel=kernel, stride=(stride, stride)).mean(axis=(3, 4))
        gain = output.reach / magnitude(means - before.quantization[0].zero_point)
        multiplier, shift = fixed_point(gain / n)
        size = window_steps(before, kernel, stride=stride, padding=0)
        layer = AveragePool(
            name=f"average_pool_{len(self._layers)}",
            op="average_pool",
            inputs=(source,),
            output=feature_map((*size, before.channels), output, scale=scale_of(before) / gain),
            source="",
            kernel=kernel,
            stride=(stride, stride),
            padding=(0, 0, 0, 0),
            requantization=(Requantization(multipliers=(multiplier,), shift=shift),),
        )
        return self._append(layer)

    def add(self, a: str, b: str, *, output: ByteRange = RELU) -> str:
        """Append a residual add; the multipliers follow from the scales of a and b."""
        real_a, real_b = self.real(a), self.real(b)
        scale = magnitude(real_a + real_b, at_least=1e-3) / output.reach
        gains = [scale_of(self.features[name]) / scale for name in (a, b)]
        _, shift = fixed_point(max(gains))
        multipliers = tuple(round(gain * 2**shift) for gain in gains)
        layer = Add(
            name=f"add_{len(self._layers)}",
            op="add",
            inputs=(a, b),
            output=feature_map(self.features[a].shape, output, scale=scale),
            source="",
            requantization=(Requantization(multipliers=multipliers, shift=shift),),
        )
        return self._append(layer)

    def real(self, name: str) -> NDArray[np.float64]:
        """Return the real values of the bytes of a map."""
        values = self.features[name].quantization[0]
        return values.scale * (self.maps[name].astype(np.float64) - values.zero_point)

    def build(self) -> QuantizedNetwork:
        """Return the network after its own checks."""
        network = self._network()
        check_network(network, source=f"the network {self._name}")
        return network

    def _output_of(self, shape: Shape, source: str, output: ByteRange, *, head: bool) -> FeatureMap:
        """Return the map of a layer with weights; scales differ so that residual adds differ."""
        if head:
            return raw_map(shape, scale=scale_of(self.features[source]) * HEAD_WEIGHT_SCALE)
        return feature_map(shape, output, scale=float(self.rng.uniform(1 / 128, 1 / 32)))

    def _weighted(self, layer: Conv | Linear, weights: Weights, scaling: Scaling | None) -> str:
        if scaling is None:
            blank = parameters_of(layer, weights, no_scaling(len(weights)), 1.0)
            self._parameters[layer.name] = blank
            sums = accumulate(self._network(layer), layer, self.maps[layer.inputs[0]])
            scaling = calibrate(self.rng, sums.reshape(-1, len(weights)), layer.output)
        source_scale = scale_of(self.features[layer.inputs[0]])
        self._parameters[layer.name] = parameters_of(layer, weights, scaling, source_scale)
        return self._append(layer)

    def _append(self, layer: Layer) -> str:
        inputs = [self.maps[name] for name in layer.inputs]
        self.maps[layer.name] = infer_layer(self._network(layer), layer, inputs)
        self.features[layer.name] = layer.output
        self._layers.append(layer)
        return layer.name

    def _network(self, *more: Layer) -> QuantizedNetwork:
        layers = [*self._layers, *more]
        graph = Graph(
            format="hwgen.network",
            version=2,
            name=self._name,
            dataset="random",
            class_names=[f"class {index}" for index in range(layers[-1].output.channels)],
            preprocessing="none: the bytes are the image",
            input=self.features[INPUT],
            modes=ONE_MODE,
            layers=layers,
            outputs=(layers[-1].name,),
        )
        return QuantizedNetwork(graph=graph, parameters=dict(self._parameters))


def feature_map(shape: Shape, output: ByteRange, *, scale: float) -> FeatureMap:
    """Return a map of (height, width, channels) with the zero point and clip of `output`."""
    return byte_map(shape, scale=scale, **output._asdict())


def scale_of(feature: FeatureMap) -> float:
    """Return the real value of one step of a map."""
    return feature.quantization[0].scale


def window_steps(
    before: FeatureMap, kernel: tuple[int, int], *, stride: int, padding: int
) -> tuple[int, int]:
    """Return height and width of the output map of a window of (height, width)."""
    return (
        (before.height + 2 * padding - kernel[0]) // stride + 1,
        (before.width + 2 * padding - kernel[1]) // stride + 1,
    )


def magnitude(values: NDArray[np.float64], *, at_least: float = 1.0) -> float:
    """Return the absolute value that one of a hundred values exceeds."""
    return max(at_least, float(np.quantile(np.abs(values), 0.99)))


def no_scaling(filters: int) -> Scaling:
    """Return the scaling that leaves sums unchanged, to measure their range."""
    return Scaling([0] * filters, [1 << 15] * filters, [1] * filters)


def calibrate(rng: np.random.Generator, sums: NDArray[np.int64], output: FeatureMap) -> Scaling:
    """Return the scaling that spreads `sums` (positions, channels) over the range of `output`.

    A channel that never changes (phi 0, all blocks masked) gets a bias somewhere in the range.
    """
    deviation = sums.std(axis=0)
    alive = deviation > 0
    typical = float(np.median(deviation[alive])) if alive.any() else 100.0
    spread = np.where(alive, deviation, typical)
    jitter = rng.uniform(-1, 1, len(spread)) * np.where(alive, 0.5, 2.0)
    bias = np.round(jitter * spread - sums.mean(axis=0)).astype(int)
    values = output.quantization[0]
    byte_range = ByteRange(values.zero_point, values.low, values.high)
    reach = RELU.reach if output.raw else byte_range.reach
    pairs = [fixed_point(float(reach / (DEVIATIONS * each))) for each in spread]
    return Scaling(bias.tolist(), [pair[0] for pair in pairs], [pair[1] for pair in pairs])


def parameters_of(
    layer: Conv | Linear, weights: Weights, scaling: Scaling, source_scale: float
) -> Parameters:
    """Return the arrays of a layer; the weights' scales follow from the multipliers."""
    multiplier, shift = np.array(scaling.multiplier, np.uint16), np.array(scaling.shift, np.uint8)
    output_scale = scale_of(layer.output)
    weight_scale = np.ldexp(multiplier * (output_scale / source_scale), -shift.astype(int))
    if layer.output.raw:
        multiplier, shift = multiplier[:0], shift[:0]
        weight_scale = np.full(len(weights), HEAD_WEIGHT_SCALE)
    return Parameters(
        weights=weights.astype(np.int8),
        bias=np.array([scaling.bias], np.int64),
        multiplier=multiplier[np.newaxis],
        shift=shift[np.newaxis],
        weight_scale=weight_scale.astype(np.float32),
    )
