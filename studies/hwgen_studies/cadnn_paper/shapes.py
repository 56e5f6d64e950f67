"""ResNet20 in several widths, its shapes alone: all weights are zero.

Cycles, events and places on the MRAM chip depend on shapes, not on weights.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hwgen.network import (
    INPUT,
    VERSION,
    Add,
    AveragePool,
    Conv,
    FeatureMap,
    Graph,
    Linear,
    MapQuantization,
    Parameters,
    QuantizedNetwork,
    Requantization,
    Shortcut,
)
from hwgen.network.quantization import HALF_UP
from hwgen.network.widths import channels_at

SIDE = 32
COLOURS = 3
CLASSES = 10
STAGES = (16, 32, 64)
"""Channels of the stages at full width."""
BLOCKS = 3
"""Residual blocks of a stage."""
RAW = MapQuantization(scale=1.0, zero_point=0, low=0, high=0)
ONE = (1 << 15, 15)
"""Multiplier and shift of the factor 1."""


def channels_of(count: int, widths: Sequence[float]) -> tuple[int, ...]:
    """Return the channels of each width."""
    return tuple(channels_at(count, width) for width in widths)


def resnet20(
    widths: Sequence[float], *, weight_bits: int = 8, map_bits: int = 8
) -> QuantizedNetwork:
    """Return ResNet20 for CIFAR-10 with a mode for each width, the widest first.

    weight_bits, map_bits: of a weight and of an element of a map, at most 16
    """
    net = Shapes(widths, weight_bits=weight_bits, map_bits=map_bits)
    now = net.conv("conv1", INPUT, STAGES[0])
    for stage, count in enumerate(STAGES, 1):
        for block in range(1, BLOCKS + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            name = f"stage{stage}_{block}"
            inner = net.conv(f"{name}_conv1", now, count, stride=stride)
            inner = net.conv(f"{name}_conv2", inner, count)
            skip = now if stride == 1 else net.shortcut(f"{name}_shortcut", now, count)
            now = net.add(f"{name}_add", inner, skip)
    return net.build(net.head(net.mean(now)))


class Shapes:
    """Appends layers to a network of integers; every method returns the name of its output."""

    def __init__(self, widths: Sequence[float], *, weight_bits: int, map_bits: int) -> None:
        self._widths = tuple(widths)
        self._weight_bits, self._map_bits = weight_bits, map_bits
        self._maps = {INPUT: self._map(SIDE, COLOURS, (COLOURS,) * len(widths))}
        self._layers: list[Any] = []
        self._parameters: dict[str, Parameters] = {}

    def conv(self, name: str, source: str, count: int, *, stride: int = 1) -> str:
        """Append a convolution of 3 x 3 with padding."""
        before = self._maps[source]
        output = self._map(before.height // stride, count, channels_of(count, self._widths))
        layer = Conv(
            **named("conv", name, source),
            output=output,
            kernel=(3, 3),
            stride=(stride, stride),
            padding=(1, 1, 1, 1),
            groups=1,
            weight_bits=self._weight_bits,
            weight_grid="integer",
            rounding=HALF_UP,
        )
        return self._weighted(layer, (count, 3, 3, before.channels))

    def shortcut(self, name: str, source: str, count: int) -> str:
        """Append a shortcut of option A with stride 2."""
        output = self._map(self._maps[source].height // 2, count, channels_of(count, self._widths))
        layer = Shortcut(**named("shortcut", name, source), output=output, stride=(2, 2))
        return self._append(layer)

    def add(self, name: str, a: str, b: str) -> str:
        """Append a sum."""
        both = Requantization(multipliers=(ONE[0], ONE[0]), shift=ONE[1])
        layer = Add(
            rounding=HALF_UP,
            operand_shifts=(),
            **named("add", name, a, b),
            output=self._maps[a],
            requantization=self._modes(both),
        )
        return self._append(layer)

    def mean(self, source: str) -> str:
        """Append the mean of a whole map."""
        before = self._maps[source]
        side = before.height
        shape = channels_of(before.channels, self._widths)
        layer = AveragePool(
            rounding=HALF_UP,
            divisor="window",
            center=None,
            **named("average_pool", "pool", source),
            output=self._map(1, before.channels, shape),
            kernel=(side, side),
            stride=(1, 1),
            padding=(0, 0, 0, 0),
            requantization=self._modes(Requantization(multipliers=(ONE[0],), shift=ONE[1])),
        )
        return self._append(layer)

    def head(self, source: str) -> str:
        """Append the classifier, whose sums are raw."""
        output = FeatureMap(
            height=1,
            width=1,
            channels=CLASSES,
            mode_channels=(),
            bits=32,
            quantization=self._modes(RAW),
        )
        layer = Linear(
            **named("linear", "head", source),
            output=output,
            weight_bits=self._weight_bits,
            weight_grid="integer",
            rounding=HALF_UP,
        )
        return self._weighted(layer, (CLASSES, self._maps[source].channels))

    def build(self, output: str) -> QuantizedNetwork:
        """Return the network."""
        graph = Graph(
            format="hwgen.network",
            version=VERSION,
            name="resnet20_shapes",
            dataset="cifar10",
            class_names=[],
            preprocessing="none: all weights are zero",
            input=self._maps[INPUT],
            modes=tuple(f"{width}x" for width in self._widths),
            layers=self._layers,
            outputs=(output,),
        )
        return QuantizedNetwork(graph=graph, parameters=self._parameters)

    def _modes(self, value: Any) -> tuple[Any, ...]:
        """Return a value for each mode."""
        return (value,) * len(self._widths)

    def _map(self, side: int, count: int, channels: tuple[int, ...]) -> FeatureMap:
        """Return a square map of unsigned integers."""
        most = (1 << self._map_bits) - 1
        grid = MapQuantization(scale=1.0, zero_point=0, low=0, high=most)
        return FeatureMap(
            height=side,
            width=side,
            channels=count,
            mode_channels=channels if len(set(channels)) > 1 else (),
            bits=self._map_bits,
            quantization=self._modes(grid),
        )

    def _weighted(self, layer: Any, shape: tuple[int, ...]) -> str:
        """Append a layer with weights."""
        outputs = shape[0]
        used = [layer.output.channels_in(mode) for mode in range(len(self._widths))]
        scaled = 0 if layer.output.raw else outputs
        there = np.arange(scaled) < np.array(used)[:, np.newaxis]
        self._parameters[layer.name] = Parameters(
            weights=np.zeros(shape, np.int8 if self._weight_bits <= 8 else np.int16),
            bias=np.zeros((len(used), outputs), np.int64),
            multiplier=(there * ONE[0]).astype(np.uint32),
            shift=(there * ONE[1]).astype(np.uint8),
            weight_scale=np.ones(outputs, np.float32),
        )
        return self._append(layer)

    def _append(self, layer: Any) -> str:
        self._layers.append(layer)
        self._maps[layer.name] = layer.output
        name: str = layer.name
        return name


def named(op: str, name: str, *inputs: str) -> dict[str, Any]:
    """Return the keys that all layers have."""
    return {"name": name, "op": op, "inputs": inputs, "source": ""}
