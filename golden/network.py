"""Integer inference of a quantized network: every map of every image, for any family.

A kind of layer has one function, which `of` names.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops import maps as ops
from golden.ops.fixed_softmax import fixed_softmax
from golden.ops.layer_norm import layer_norm
from golden.ops.requantize import requantize
from golden.ops.softmax import softmax
from hwgen import network as kinds
from hwgen.network import INPUT, Conv, Layer, Linear, QuantizedNetwork
from hwgen.network.add import OPERAND_SHIFT

Map = NDArray[Any]
"""(images, height, width, channels): uint8, uint16, or int32 and int64 of raw sums."""

WeightedSums = Callable[[QuantizedNetwork, Conv | Linear, Map, int], NDArray[np.int64]]
"""The sums of a layer with weights in a mode, as `accumulate` gives them; other devices may err."""

ELEMENTS_AT_ONCE = 1 << 22
"""Elements of the largest map that `answer` holds at a time."""


def infer(
    network: QuantizedNetwork,
    images: Map,
    *,
    mode: int = 0,
    keep: Collection[str] | None = None,
    sums_by: WeightedSums | None = None,
    states: Mapping[str, Map] | None = None,
    position: int = 0,
) -> dict[str, Map]:
    """Return maps by layer name, the images themselves under "input".

    images: (images, height, width, channels) of the widest mode, uint8 up to 8 bits, else uint16
    mode: number of a mode of the network; its maps have the channels of that mode
    keep: names of the maps to return; None: all. others are dropped after their last reader
    sums_by: those of layers with weights, by devices that err; None: exact
    states: maps of the states of a call, by name, (images, ...); others have their first value
    position: of a call; layers that need it read it
    Raises ValueError for images of another type or shape.
    """
    check_images(network, images)
    wanted = {INPUT, *(layer.name for layer in network.layers)} if keep is None else set(keep)
    maps: dict[str, Map] = {INPUT: images[..., : network.graph.input.channels_in(mode)]}
    last_reader = {name: layer.name for layer in network.layers for name in layer.inputs}
    for layer in network.layers:
        inputs = [maps[name] for name in layer.inputs]
        if states is not None and layer.name in states:
            made = states[layer.name]
        else:
            made = infer_layer(
                network, layer, inputs, mode=mode, sums_by=sums_by, position=position
            )
        maps[layer.name] = made if inputs else np.broadcast_to(made, (len(images), *made.shape[1:]))
        for name in set(maps) - wanted:
            if last_reader.get(name, layer.name) == layer.name:
                del maps[name]
    return maps


def answer(
    network: QuantizedNetwork, images: Map, *, mode: int = 0, sums_by: WeightedSums | None = None
) -> Map:
    """Return the answer to each image; the maps of a few images are in memory at a time."""
    return kept(network, images, [network.answer], mode=mode, sums_by=sums_by)[network.answer]


def outputs(
    network: QuantizedNetwork, images: Map, *, mode: int = 0, sums_by: WeightedSums | None = None
) -> dict[str, Map]:
    """Return the maps of all outputs, by name; those between as `answer` does."""
    return kept(network, images, network.graph.outputs, mode=mode, sums_by=sums_by)


def kept(
    network: QuantizedNetwork,
    images: Map,
    names: Collection[str],
    *,
    mode: int,
    sums_by: WeightedSums | None = None,
) -> dict[str, Map]:
    """Return some maps, of a few images at a time."""
    parts = [
        infer(network, part, mode=mode, keep=names, sums_by=sums_by)
        for part in pieces(network, images)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def predict(
    network: QuantizedNetwork, images: Map, *, mode: int = 0, sums_by: WeightedSums | None = None
) -> NDArray[np.int64]:
    """Return the class of each image: the largest value, the lowest index of equals."""
    answers = answer(network, images, mode=mode, sums_by=sums_by)
    classes: NDArray[np.int64] = network.scores(answers).argmax(axis=1)
    return classes


def pieces(network: QuantizedNetwork, images: Map) -> Iterator[Map]:
    """Yield the images, a few at a time; at least one piece, which may be empty."""
    maps = [network.graph.input, *(layer.output for layer in network.layers)]
    largest = max(each.height * each.width * each.channels for each in maps)
    at_once = max(1, ELEMENTS_AT_ONCE // largest)
    for first in range(0, max(1, len(images)), at_once):
        yield images[first : first + at_once]


def check_images(network: QuantizedNetwork, images: Map) -> None:
    """Refuse images of another type or shape."""
    wanted = network.graph.input
    dtype = np.dtype(wanted.dtype)
    if images.dtype != dtype or images.shape[1:] != wanted.shape:
        given = f"{images.dtype.name} of shape {images.shape[1:]}"
        raise ValueError(f"images must be {dtype.name} of shape {wanted.shape} each, got {given}")


def infer_layer(
    network: QuantizedNetwork,
    layer: Layer,
    inputs: list[Map],
    *,
    mode: int = 0,
    sums_by: WeightedSums | None = None,
    position: int = 0,
) -> Map:
    """Return the output map of one layer for its input maps, all of one mode.

    A layer without inputs has one image.
    """
    around = Around(network=network, mode=mode, sums_by=sums_by, position=position)
    return RULES[type(layer)](around, layer, inputs)


@dataclass(frozen=True, kw_only=True)
class Around:
    """What the function of a layer may read beside the layer and its maps."""

    network: QuantizedNetwork
    mode: int
    sums_by: WeightedSums | None
    position: int

    def zero_points(self, layer: Layer) -> Any:
        """Return the zero points of what a layer reads."""
        each = (self.network.map_of(name).quantization for name in layer.inputs)
        return tuple(modes[self.mode].zero_point for modes in each)

    def channels(self, layer: Layer) -> int:
        """Return the channels of a layer's map."""
        return layer.output.channels_in(self.mode)


Rule = Callable[[Around, Any, list[Map]], Map]
RULES: dict[type, Rule] = {}


def of(*types: type) -> Callable[[Rule], Rule]:
    """Let a function compute the maps of some kinds of layers."""

    def kept(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(types, rule))
        return rule

    return kept


@of(kinds.Constant, kinds.State)
def held(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the map that a network holds."""
    return around.network.held[layer.name]["map"][np.newaxis]


@of(kinds.MaxPool)
def max_pool(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the largest integer of each window."""
    return ops.max_pool(inputs[0], **window_of(layer))


@of(kinds.Concatenate)
def concatenate(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the channels of all maps in their order."""
    return np.concatenate(inputs, axis=3)


@of(kinds.Stack)
def stack(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the pixels of all maps, row after row, in their order."""
    pixels = [values.reshape(len(values), -1, values.shape[3]) for values in inputs]
    return np.concatenate(pixels, axis=1).reshape(-1, *layer.output.shape)


@of(kinds.Table)
def look_up(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the entry of each element."""
    found: Map = around.network.tables[layer.name][around.mode][inputs[0]]
    return found


@of(kinds.Shortcut)
def shortcut(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return every stride-th pixel, with the channels of the output."""
    zero_point, channels = values_of(around, layer).zero_point, around.channels(layer)
    return ops.shortcut(inputs[0], stride=layer.stride, channels=channels, zero_point=zero_point)


@of(kinds.Upsample)
def upsample(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return every pixel at `factor` times its place, repeated, or zero points between."""
    (given,), (down, across) = inputs, layer.factor
    if layer.fill == "repeat":
        return given.repeat(down, axis=1).repeat(across, axis=2)
    images, height, width, channels = given.shape
    size = (height - 1) * down + 1, (width - 1) * across + 1
    zero_point = values_of(around, layer).zero_point
    wide = np.full((images, *size, channels), zero_point, given.dtype)
    wide[:, ::down, ::across] = given
    return wide


@of(kinds.Transpose)
def transpose(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the map with its axes in another order."""
    return inputs[0].transpose(0, *(axis + 1 for axis in layer.order))


@of(kinds.Reshape)
def reshape(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the elements in another shape."""
    return inputs[0].reshape(len(inputs[0]), *layer.output.shape)


@of(kinds.Rows)
def some_rows(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return some rows."""
    return inputs[0][:, layer.first : layer.first + layer.count]


@of(kinds.Append)
def append(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return a map of all pixels so far, with new ones from the pixel `position` on.

    Raises ValueError where the pixels do not fit behind the position.
    """
    cache, row = inputs
    pixels = row.reshape(len(row), -1, cache.shape[3])
    made: Map = np.array(cache).reshape(len(row), -1, cache.shape[3])
    most = made.shape[1] - pixels.shape[1]
    if not 0 <= around.position <= most:
        raise ValueError(f"the position must be from 0 to {most}, got {around.position}")
    made[:, around.position : around.position + pixels.shape[1]] = pixels
    return made.reshape(cache.shape)


@of(kinds.Softmax, kinds.CausalSoftmax)
def float_softmax(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return shares in float32; of a causal one the first channels of a group count."""
    keys = None
    if isinstance(layer, kinds.CausalSoftmax):
        first = around.position + 1 if layer.keys == "position" else 1
        pixels = np.arange(layer.output.height * layer.output.width)
        keys = (first + pixels).clip(max=layer.output.channels // layer.groups)
    table = around.network.held[layer.name]["exponentials"]
    given = {"groups": layer.groups, "exponentials": table, "factor": layer.factor, "keys": keys}
    return in_range(around, layer, softmax(inputs[0], **given))


@of(kinds.FixedSoftmax)
def integer_softmax(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return shares in integers."""
    arrays = around.network.held[layer.name]
    return in_range(around, layer, fixed_softmax(inputs[0], groups=layer.groups, **arrays))


@of(kinds.LayerNorm)
def norm(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return each pixel over its deviation."""
    arrays = dict(around.network.held[layer.name])
    eps, scale = arrays.pop("constants")
    centred = layer.order != "rms"
    steps = layer_norm(inputs[0], **arrays, eps=eps, scale=scale, centred=centred)
    return in_range(around, layer, steps)


@of(kinds.AveragePool)
def average_pool(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the means of windows: 1 / n is in the multiplier, of all or of each count."""
    zero_point = around.zero_points(layer)[0] if layer.center is None else layer.center
    sums = ops.window_sums(inputs[0], **window_of(layer), zero_point=zero_point)
    multipliers = np.array(layer.requantization[around.mode].multipliers)
    if layer.divisor == "window":
        return scaled(around, layer, sums, multipliers[0])
    ones = np.ones((1, *inputs[0].shape[1:3], 1), np.uint8)
    counts = ops.window_sums(ones, **window_of(layer), zero_point=0)
    return scaled(around, layer, sums, multipliers[np.searchsorted(np.unique(counts), counts)])


@of(kinds.Add)
def add(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the sum of two maps of their own scales; `tflite` rounds each operand."""
    factors = layer.requantization[around.mode].multipliers
    scales: dict[str, Any] = {"zero_points": around.zero_points(layer), "multipliers": factors[:2]}
    if layer.rounding != "tflite":
        return scaled(around, layer, ops.weighted_sum(*inputs, **scales), 1)
    shifts = layer.operand_shifts[around.mode]
    operands = ops.scaled_operands(*inputs, **scales, shifts=shifts, finer=OPERAND_SHIFT)
    return scaled(around, layer, operands[0] + operands[1], factors[2])


@of(kinds.SquaredDifference)
def squared_difference(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the square of the difference of two maps."""
    factors = layer.requantization[around.mode].multipliers
    scales = {"zero_points": around.zero_points(layer), "multipliers": factors[:2]}
    sums = ops.squared_difference(*inputs, **scales, shifts=layer.operand_shifts)
    return scaled(around, layer, sums, factors[2])


@of(kinds.MatMul)
def matmul(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the product of two maps by groups."""
    how = {"groups": layer.groups, "transposed": layer.transposed}
    sums = ops.map_product(*inputs, **how, zero_points=around.zero_points(layer))
    return scaled(around, layer, sums, layer.requantization[around.mode].multipliers[0])


@of(kinds.Multiply, kinds.Rescale)
def product(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the product of x - zero point of all maps; the second may have one value a channel."""
    pairs = zip(inputs, around.zero_points(layer), strict=True)
    sums = math.prod(each.astype(np.int64) - zero for each, zero in pairs)
    return scaled(around, layer, sums, layer.requantization[around.mode].multipliers[0])


@of(Conv, Linear)
def weighted(around: Around, layer: Any, inputs: list[Map]) -> Map:
    """Return the map of a layer with weights: raw sums, or requantized."""
    network, mode = around.network, around.mode
    sums = (around.sums_by or accumulate)(network, layer, inputs[0], mode)
    if layer.output.raw:
        return sums.astype(layer.output.dtype)
    parameters, outputs = network.parameters[layer.name], around.channels(layer)
    factors = parameters.multiplier[mode, :outputs], parameters.shift[mode, :outputs]
    return scaled(around, layer, sums, *factors)


def accumulate(
    network: QuantizedNetwork, layer: Conv | Linear, maps: Map, mode: int = 0
) -> NDArray[np.int64]:
    """Return the sums of a layer with weights: (images, out_height, out_width, out).

    A mode has the first filters, and of each the weights of the first channels.
    """
    parameters, outputs = network.parameters[layer.name], layer.output.channels_in(mode)
    bias = parameters.bias[mode, :outputs]
    source = network.map_of(layer.inputs[0])
    inputs = source.channels_in(mode)
    weights = parameters.weights[:outputs]
    if isinstance(layer, Linear):
        pixels = weights.reshape(outputs, -1, source.channels)[:, :, :inputs]
        return ops.linear(maps, pixels.reshape(outputs, -1), bias)
    depthwise = layer.groups == source.channels
    return ops.conv(
        maps,
        weights if layer.groups > 1 else weights[..., :inputs],
        bias,
        stride=layer.stride,
        padding=layer.padding,
        groups=inputs if depthwise else layer.groups,
        zero_point=source.quantization[mode].zero_point,
    )


def of_one_layer(name: str, sums_by: WeightedSums) -> WeightedSums:
    """Return sums of which one layer's are by devices that err, and all others exact."""

    def sums(
        network: QuantizedNetwork, layer: Conv | Linear, maps: Map, mode: int
    ) -> NDArray[np.int64]:
        return (sums_by if layer.name == name else accumulate)(network, layer, maps, mode)

    return sums


def window_of(layer: Any) -> dict[str, Any]:
    """Return the window of a layer, as operations take it."""
    return {"kernel": layer.kernel, "stride": layer.stride, "padding": layer.padding}


def values_of(around: Around, layer: Layer) -> Any:
    """Return the quantization of a layer's map."""
    return layer.output.quantization[around.mode]


def in_range(around: Around, layer: Layer, steps: Map) -> Map:
    """Return steps from the zero point as elements of a layer's map."""
    values = values_of(around, layer)
    clipped: Map = (steps + values.zero_point).clip(values.low, values.high)
    return clipped.astype(layer.output.dtype)


def scaled(around: Around, layer: Any, sums: Any, multiplier: Any, shift: Any = None) -> Map:
    """Return sums requantized to a layer's map; shift: None: that of the layer."""
    values, center = values_of(around, layer), getattr(layer, "center", None)
    return requantize(
        sums,
        multiplier=multiplier,
        shift=layer.requantization[around.mode].shift if shift is None else shift,
        rounding=layer.rounding,
        zero_point=values.zero_point if center is None else center,
        low=values.low,
        high=values.high,
        dtype=layer.output.dtype,
    )
