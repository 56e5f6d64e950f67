"""Builds networks with random weights and zero points, in any modes and bits."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from hwgen.network import (
    INPUT,
    Add,
    AveragePool,
    Concatenate,
    Constant,
    Conv,
    FeatureMap,
    Graph,
    LayerNorm,
    Linear,
    MapQuantization,
    MatMul,
    MaxPool,
    Multiply,
    Parameters,
    QuantizedNetwork,
    Requantization,
    Rescale,
    Shortcut,
    Softmax,
    SquaredDifference,
    Stack,
    Table,
    version_of,
)
from hwgen.network.add import OPERAND_SHIFT
from hwgen.network.graph import KINDS
from hwgen.network.quantization import (
    FACTORS,
    HALF_UP,
    MULTIPLIER_BITS,
    Rounding,
    fixed_point,
)

ADDITION_BITS = 21
"""Bits of the larger factor of a sum that does not round half up."""
Channels = tuple[int, ...]
"""Of each mode."""


class Drawing:
    """Appends layers to a network; every method returns the name of its output."""

    def __init__(
        self,
        seed: int,
        *,
        modes: tuple[str, ...],
        shape: tuple[int, int, int],
        bits: int = 8,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self._modes = modes
        height, width, channels = shape
        self._maps = {
            INPUT: self.map(height, width, (channels,) * len(modes), bits=bits, same=True)
        }
        self._layers: list[Any] = []
        self._parameters: dict[str, Parameters] = {}
        self._tables: dict[str, np.ndarray] = {}
        self._held: dict[str, dict[str, np.ndarray]] = {}
        self.rounding: Rounding = HALF_UP
        """Of the layers that follow."""

    @property
    def count(self) -> int:
        """How many layers there are."""
        return len(self._layers)

    def map(
        self, height: int, width: int, channels: Channels, *, bits: int = 8, same: bool = False
    ) -> FeatureMap:
        """Return a map with random zero points, the same in all modes if asked."""
        top = (1 << bits) - 1
        values: list[MapQuantization] = []
        for mode in range(len(self._modes)):
            zero = int(self.rng.integers(0, top // 2 + 1))
            low = int(self.rng.choice([0, zero]))
            one = MapQuantization(scale=0.1 + mode, zero_point=zero, low=low, high=top)
            values.append(values[0] if same and values else one)
        return FeatureMap(
            height=height,
            width=width,
            channels=channels[0],
            mode_channels=() if len(set(channels)) == 1 else channels,
            bits=bits,
            quantization=tuple(values),
        )

    def channels(self, name: str) -> Channels:
        """Return the channels of a map in each mode."""
        return tuple(self._maps[name].channels_in(mode) for mode in range(len(self._modes)))

    def size(self, name: str) -> tuple[int, int]:
        """Return height and width of a map."""
        return self._maps[name].shape[:2]

    def conv(
        self,
        source: str,
        channels: Channels,
        *,
        kernel: tuple[int, int] = (1, 1),
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int, int, int] = (0, 0, 0, 0),
        groups: int = 1,
        bits: int = 8,
        weight_bits: int = 8,
        weight_grid: Literal["integer", "odd"] = "integer",
        like: str | None = None,
    ) -> str:
        """Append a convolution; `like`: a map whose quantization it shares."""
        before = self._maps[source]
        height = (before.height + padding[0] + padding[2] - kernel[0]) // stride[0] + 1
        width = (before.width + padding[1] + padding[3] - kernel[1]) // stride[1] + 1
        output = self.map(height, width, channels, bits=bits)
        if like is not None:
            output = FeatureMap(**{**vars(output), "quantization": self._maps[like].quantization})
        layer = Conv(
            **self._names("conv", source),
            output=output,
            kernel=kernel,
            stride=stride,
            padding=padding,
            groups=groups,
            weight_bits=weight_bits,
            weight_grid=weight_grid,
            rounding=self.rounding,
        )
        shape = (channels[0], *kernel, before.channels // groups)
        return self._weighted(layer, shape, before)

    def linear(
        self,
        source: str,
        channels: Channels,
        *,
        bits: int = 8,
        weight_bits: int = 8,
        weight_grid: Literal["integer", "odd"] = "integer",
    ) -> str:
        """Append a fully connected layer; 32 or 64 bits: raw."""
        before = self._maps[source]
        output = self.map(1, 1, channels, bits=min(bits, 16))
        if bits > 16:
            zero = MapQuantization(scale=1.0, zero_point=0, low=0, high=0)
            output = FeatureMap(
                **{**vars(output), "bits": bits, "quantization": (zero,) * len(self._modes)}
            )
        layer = Linear(
            **self._names("linear", source),
            output=output,
            weight_bits=weight_bits,
            weight_grid=weight_grid,
            rounding=self.rounding,
        )
        shape = (channels[0], before.height * before.width * before.channels)
        return self._weighted(layer, shape, before)

    def max_pool(self, source: str, **window: Any) -> str:
        """Append a maximum."""
        before = self._maps[source]
        return self._append(
            MaxPool(
                **self._names("max_pool", source), output=self._pooled(before, window), **window
            )
        )

    def average_pool(
        self,
        source: str,
        *,
        bits: int = 8,
        inside: bool = False,
        center: int | None = None,
        **window: Any,
    ) -> str:
        """Append a mean; inside: of the pixels inside the map."""
        before = self._maps[source]
        height, width, _ = self._pooled(before, window).shape
        output = self.map(height, width, self.channels(source), bits=bits)
        n = window["kernel"][0] * window["kernel"][1]
        factor = 1.5 * 2.0 ** (output.bits - before.bits) / n
        layer = AveragePool(
            **self._names("average_pool", source),
            output=output,
            **window,
            rounding=self.rounding,
            requantization=self._factors(factor),
            divisor="inside" if inside else "window",
            center=center,
        )
        if inside:
            counts = layer.counts(before.height, before.width)
            (multiplier, shift) = self._factor(factor * n / counts[0])
            multipliers = tuple(round(multiplier * counts[0] / count) for count in counts)
            entry = Requantization(multipliers=multipliers, shift=shift)
            layer = replace(layer, requantization=(entry,))
        return self._append(layer)

    def add(self, a: str, b: str, *, bits: int = 8) -> str:
        """Append a sum; the second map counts a third of the first."""
        output = self.map(*self.size(a), self.channels(a), bits=bits)
        entries, shifts = [], []
        for mode in range(len(self._modes)):
            gain_a = 2.0 ** (bits - self._maps[a].bits) * (0.7 + mode / 9)
            gain_b = 2.0 ** (bits - self._maps[b].bits) / 3
            if self.rounding == "tflite":
                operand, (part, place) = self._factor(0.5), self._factor(gain_b / (2 * gain_a))
                whole, shift = self._factor(2 * gain_a / (1 << OPERAND_SHIFT))
                shifts.append((operand[1], place))
                three = (operand[0], part, whole)
                entries.append(Requantization(multipliers=three, shift=shift))
                continue
            places = MULTIPLIER_BITS if self.rounding == HALF_UP else ADDITION_BITS
            _, shift = fixed_point(max(gain_a, gain_b), bits=places)
            both = (round(gain_a * 2**shift), round(gain_b * 2**shift))
            entries.append(Requantization(multipliers=both, shift=shift))
        return self._append(
            Add(
                rounding=self.rounding,
                operand_shifts=tuple(shifts),
                **self._names("add", a, b),
                output=output,
                requantization=tuple(entries),
            )
        )

    def multiply(self, a: str, b: str, *, bits: int = 8) -> str:
        """Append a product."""
        output = self.map(*self.size(a), self.channels(a), bits=bits)
        factor = 4 * 2.0 ** (bits - self._maps[a].bits - self._maps[b].bits)
        return self._append(
            Multiply(
                rounding=self.rounding,
                **self._names("multiply", a, b),
                output=output,
                requantization=self._factors(factor),
            )
        )

    def squared_difference(
        self, a: str, b: str, *, gains: tuple[float, float], gain: float = 2.0**-20
    ) -> str:
        """Append squares of differences, in a network of one mode; gains: of a and b, up to 1."""
        rounding, self.rounding = self.rounding, "tflite"
        parts = [self._factor(gain / 2) for gain in gains]
        whole, shift = self._factor(gain)
        self.rounding = rounding
        multipliers = (parts[0][0], parts[1][0], whole)
        return self._append(
            SquaredDifference(
                rounding="tflite",
                **self._names("squared_difference", a, b),
                output=self.map(*self.size(a), self.channels(a)),
                operand_shifts=(parts[0][1], parts[1][1]),
                requantization=(Requantization(multipliers=multipliers, shift=shift),),
            )
        )

    def rescale(self, source: str, *, bits: int) -> str:
        """Append another grid."""
        before = self._maps[source]
        output = self.map(*self.size(source), self.channels(source), bits=bits)
        return self._append(
            Rescale(
                rounding=self.rounding,
                **self._names("rescale", source),
                output=output,
                requantization=self._factors(2.0 ** (bits - before.bits) * 0.9),
            )
        )

    def table(self, source: str, *, bits: int = 8) -> str:
        """Append a random function."""
        output = self.map(*self.size(source), self.channels(source), bits=bits)
        name = f"table_{len(self._layers)}"
        entries = np.zeros((len(self._modes), 256), np.uint8)
        used = 1 << self._maps[source].bits
        for mode, values in enumerate(output.quantization):
            entries[mode, :used] = self.rng.integers(values.low, values.high + 1, used)
        self._tables[name] = entries
        return self._append(Table(**self._names("table", source), output=output))

    def shortcut(self, source: str, channels: Channels, *, stride: tuple[int, int]) -> str:
        """Append a subsampled map with other channels."""
        before = self._maps[source]
        height, width = -(-before.height // stride[0]), -(-before.width // stride[1])
        output = FeatureMap(
            height=height,
            width=width,
            channels=channels[0],
            mode_channels=() if len(set(channels)) == 1 else channels,
            bits=before.bits,
            quantization=before.quantization,
        )
        return self._append(
            Shortcut(**self._names("shortcut", source), output=output, stride=stride)
        )

    def concatenate(self, *sources: str) -> str:
        """Append maps behind each other; they share a quantization."""
        channels = sum(self._maps[name].channels for name in sources)
        first = self._maps[sources[0]]
        low = min(self._maps[name].quantization[0].low for name in sources)
        quantization = (MapQuantization(**{**vars(first.quantization[0]), "low": low}),)
        output = FeatureMap(**{**vars(first), "channels": channels, "quantization": quantization})
        return self._append(Concatenate(**self._names("concatenate", *sources), output=output))

    def matmul(self, a: str, b: str, *, groups: int, transposed: bool) -> str:
        """Append a product of two maps, in a network of one mode."""
        first, second = self._maps[a], self._maps[b]
        pixels = second.height * second.width
        channels = groups * pixels if transposed else second.channels
        summed = second.channels // groups if transposed else pixels
        factor = 2.0 ** (8 - first.bits - second.bits) * 4 / np.sqrt(summed)
        return self._append(
            MatMul(
                rounding=self.rounding,
                **self._names("matmul", a, b),
                output=self.map(first.height, first.width, (channels,)),
                groups=groups,
                transposed=transposed,
                requantization=self._factors(factor),
            )
        )

    def softmax(self, source: str, *, groups: int, scale: float, from_zero: bool = False) -> str:
        """Append a softmax whose inputs have steps of `scale`; from_zero: its zero point is 0."""
        before = self._maps[source]
        name = f"softmax_{len(self._layers)}"
        table = np.exp(3 - np.arange(256) * scale).astype(np.float32)
        self._held[name] = {"exponentials": table.view(np.uint32)}
        output = self.map(*self.size(source), (before.channels,))
        if from_zero:
            values = replace(output.quantization[0], zero_point=0, low=0)
            output = replace(output, quantization=(values,))
        return self._append(
            Softmax(
                **self._names("softmax", source),
                output=output,
                groups=groups,
                factor=int(self.rng.integers(200, 257)),
            )
        )

    def layer_norm(
        self, source: str, *, order: Literal["eight", "rms"] = "eight", heads: int = 1
    ) -> str:
        """Append a norm of each head with random gains, which all heads share."""
        before = self._maps[source]
        name = f"layer_norm_{len(self._layers)}"
        steps = (np.arange(256) - before.quantization[0].zero_point).astype(np.float32)
        numbers = {
            "values": steps * np.float32(self.rng.uniform(0.001, 2)),
            "gamma": self.rng.normal(1, 0.3, before.channels // heads),
            "beta": self.rng.normal(0, 0.5, before.channels // heads),
            "constants": np.array([1e-5, self.rng.uniform(0.01, 0.05)]),
        }
        self._held[name] = {
            key: each.astype(np.float32).view(np.uint32) for key, each in numbers.items()
        }
        return self._append(
            LayerNorm(
                **self._names("layer_norm", source),
                output=self.map(*self.size(source), (before.channels,)),
                order=order,
            )
        )

    def constant(self, *, like: str, height: int | None = None, width: int | None = None) -> str:
        """Append a random map with the quantization of another, and its size or another one."""
        before = self._maps[like]
        output = replace(before, height=height or before.height, width=width or before.width)
        name, values = f"constant_{len(self._layers)}", output.quantization[0]
        held = self.rng.integers(values.low, values.high + 1, output.shape)
        self._held[name] = {"map": held.astype(np.uint8)}
        return self._append(Constant(**self._names("constant"), output=output))

    def stack(self, *sources: str) -> str:
        """Append the pixels of maps one behind the other; they share a quantization."""
        sizes = [self.size(name) for name in sources]
        width = sizes[0][1] if len({size[1] for size in sizes}) == 1 else 1
        pixels = sum(height * each for height, each in sizes)
        output = replace(self._maps[sources[0]], height=pixels // width, width=width)
        return self._append(Stack(**self._names("stack", *sources), output=output))

    def moved(self, op: str, source: str, *, shape: tuple[int, int, int], **keys: Any) -> str:
        """Append a layer that gives elements another place, in a network of one mode."""
        height, width, channels = shape
        before = self._maps[source]
        output = replace(before, height=height, width=width, channels=channels)
        return self._append(KINDS[op](**self._names(op, source), output=output, **keys))

    def build(self, *outputs: str) -> QuantizedNetwork:
        """Return the network; the first output is its answer."""
        graph = Graph(
            format="hwgen.network",
            version=version_of(self._layers),
            name="drawn",
            dataset="random",
            class_names=[],
            preprocessing="none: the bytes are the image",
            input=self._maps[INPUT],
            modes=self._modes,
            layers=self._layers,
            outputs=outputs,
        )
        return QuantizedNetwork(
            graph=graph, parameters=self._parameters, tables=self._tables, held=self._held
        )

    def _names(self, op: str, *inputs: str) -> dict[str, Any]:
        return {"name": f"{op}_{len(self._layers)}", "op": op, "inputs": inputs, "source": ""}

    def _append(self, layer: Any) -> str:
        self._layers.append(layer)
        self._maps[layer.name] = layer.output
        name: str = layer.name
        return name

    def _pooled(self, before: FeatureMap, window: dict[str, Any]) -> FeatureMap:
        top, left, bottom, right = window["padding"]
        kernel, stride = window["kernel"], window["stride"]
        height = (before.height + top + bottom - kernel[0]) // stride[0] + 1
        width = (before.width + left + right - kernel[1]) // stride[1] + 1
        return FeatureMap(**{**vars(before), "height": height, "width": width})

    def _factors(self, factor: float) -> tuple[Requantization, ...]:
        entries = []
        for mode in range(len(self._modes)):
            multiplier, shift = self._factor(factor * (1 + mode / 7))
            entries.append(Requantization(multipliers=(multiplier,), shift=shift))
        return tuple(entries)

    def _factor(self, factor: float) -> tuple[int, int]:
        """Return multiplier and shift of a factor in the rounding that is set."""
        if self.rounding == HALF_UP:
            return fixed_point(factor)
        ranges = FACTORS[self.rounding]
        bits = ranges.multiplier_high.bit_length()
        return fixed_point(factor, bits=bits, max_shift=ranges.shift_high)

    def _weighted(self, layer: Any, shape: tuple[int, ...], before: FeatureMap) -> str:
        """Append a layer with random weights, scaled so that its sums spread over the map."""
        bits = layer.weight_bits
        if layer.weight_grid == "odd":
            weights = 2 * self.rng.integers(0, 1 << bits, shape) - (1 << bits) + 1
        else:
            weights = self.rng.integers(-(1 << bits - 1), 1 << bits - 1, shape)
        weights = weights.astype(np.int16 if bits > 8 else np.int8)
        modes, outputs = len(self._modes), layer.output.channels
        scaled = 0 if layer.output.raw else outputs
        bias = np.zeros((modes, outputs), np.int64)
        multiplier = np.zeros((modes, scaled), np.uint32)
        shift = np.zeros((modes, scaled), np.uint8)
        # A single weight has no deviation.
        deviation = float(weights.std()) or max(1.0, float(abs(weights).max()))
        spread = deviation * np.sqrt(max(1, weights[0].size)) * 2.0**before.bits / 3
        for mode in range(modes):
            active = layer.active(weights, before, mode).astype(np.int64)
            zero = before.quantization[mode].zero_point
            jitter = self.rng.integers(-int(spread) - 1, int(spread) + 2, len(active))
            bias[mode, : len(active)] = jitter - zero * active.sum(axis=1)
            for channel in range(min(len(active), scaled)):
                factor = 2.0**layer.output.bits / (2 * spread) * self.rng.uniform(0.5, 1.5)
                multiplier[mode, channel], shift[mode, channel] = self._factor(factor)
        self._parameters[layer.name] = Parameters(
            weights=weights,
            bias=bias,
            multiplier=multiplier,
            shift=shift,
            weight_scale=np.full(outputs, 0.25, np.float32),
        )
        return self._append(layer)


def draw_images(network: QuantizedNetwork, count: int, *, seed: int) -> np.ndarray:
    """Return random images: (count, height, width, channels)."""
    image = network.graph.input
    values = np.random.default_rng(seed).integers(0, 1 << image.bits, (count, *image.shape))
    return values.astype(image.dtype)


def with_outputs(network: QuantizedNetwork, *, seed: int) -> QuantizedNetwork:
    """Return a network that has up to three further outputs, all in an order that is drawn."""
    rng = np.random.default_rng([seed, 2])
    never = ("constant", "shortcut")
    others = [each.name for each in network.layers[:-1] if each.op not in never]
    more = rng.permutation(others)[: rng.integers(1, 4)].tolist()
    outputs = tuple(rng.permutation([*more, network.answer]).tolist())
    return replace(network, graph=replace(network.graph, outputs=outputs))
