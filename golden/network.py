"""Integer inference of a quantized network: every map of every image, for any family."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.ops.add import scaled_sum, weighted_sum
from golden.ops.append import append
from golden.ops.average_pool import window_sums
from golden.ops.concatenate import concatenate
from golden.ops.conv import conv
from golden.ops.fixed_softmax import fixed_softmax
from golden.ops.layer_norm import layer_norm
from golden.ops.linear import linear
from golden.ops.matmul import map_product
from golden.ops.max_pool import max_pool
from golden.ops.multiply import product
from golden.ops.requantize import requantize
from golden.ops.rescale import centred
from golden.ops.shortcut import shortcut
from golden.ops.softmax import softmax
from golden.ops.squared_difference import squared_difference
from golden.ops.stack import stack
from golden.ops.table import look_up
from golden.ops.upsample import upsample
from hwgen.network import (
    INPUT,
    Add,
    Append,
    AveragePool,
    CausalSoftmax,
    Concatenate,
    Constant,
    Conv,
    FixedSoftmax,
    Layer,
    LayerNorm,
    Linear,
    MatMul,
    MaxPool,
    Multiply,
    QuantizedNetwork,
    Requantized,
    Rescale,
    Reshape,
    Rows,
    Shortcut,
    Softmax,
    SquaredDifference,
    Stack,
    State,
    Table,
    Transpose,
    Upsample,
    Weighted,
)

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
    match layer:
        case Conv() | Linear():
            return weighted_layer(network, layer, inputs[0], mode, sums_by)
        case MaxPool() | Concatenate() | Stack() | Table() | Shortcut():
            return chosen(network, layer, inputs, mode)
        case Softmax() | FixedSoftmax() | LayerNorm():
            return of_pixels(network, layer, inputs[0], position)
        case Constant() | State():
            return network.held[layer.name]["map"][np.newaxis]
        case AveragePool() | Add() | Multiply() | MatMul() | Rescale() | SquaredDifference():
            sums, multiplier = combined(network, layer, inputs, mode)
            return requantize_to(layer, sums, multiplier, layer.requantization[mode].shift, mode)
        case _:
            return moved(layer, inputs, mode, position)


def chosen(
    network: QuantizedNetwork,
    layer: MaxPool | Concatenate | Stack | Table | Shortcut,
    inputs: list[Map],
    mode: int,
) -> Map:
    """Return the map of a layer that selects, joins or looks up elements."""
    match layer:
        case MaxPool():
            return max_pool(
                inputs[0], kernel=layer.kernel, stride=layer.stride, padding=layer.padding
            )
        case Concatenate():
            return concatenate(inputs)
        case Stack():
            return stack(inputs, shape=layer.output.shape)
        case Table():
            return look_up(inputs[0], network.tables[layer.name][mode])
        case Shortcut():
            return shortcut(
                inputs[0],
                stride=layer.stride,
                channels=layer.output.channels_in(mode),
                zero_point=layer.output.quantization[mode].zero_point,
            )


def of_pixels(
    network: QuantizedNetwork, layer: Softmax | FixedSoftmax | LayerNorm, given: Map, position: int
) -> Map:
    """Return the map of a layer that reads a whole pixel before it writes one."""
    arrays, values = network.held[layer.name], layer.output.quantization[0]
    match layer:
        case Softmax():
            steps = softmax(
                given,
                groups=layer.groups,
                exponentials=arrays["exponentials"],
                factor=layer.factor,
                keys=keys_of(layer, position),
            )
        case FixedSoftmax():
            steps = fixed_softmax(given, groups=layer.groups, exponentials=arrays["exponentials"])
        case LayerNorm():
            eps, scale = arrays["constants"]
            steps = layer_norm(
                given,
                values=arrays["values"],
                gamma=arrays["gamma"],
                beta=arrays["beta"],
                eps=eps,
                scale=scale,
                centred=layer.order != "rms",
            )
    return (steps + values.zero_point).clip(values.low, values.high).astype(layer.output.dtype)


def keys_of(layer: Softmax, position: int) -> NDArray[np.int64] | None:
    """Return how many channels of a group count for each pixel of a map; None: all."""
    if not isinstance(layer, CausalSoftmax):
        return None
    first = position + 1 if layer.keys == "position" else 1
    pixels = np.arange(layer.output.height * layer.output.width)
    return (first + pixels).clip(max=layer.output.channels // layer.groups)


def moved(
    layer: Upsample | Transpose | Reshape | Rows | Append,
    inputs: list[Map],
    mode: int,
    position: int,
) -> Map:
    """Return the map of a layer that puts every element at another place."""
    given, *rows = inputs
    zero_point = layer.output.quantization[mode].zero_point
    match layer:
        case Upsample():
            zero = None if layer.fill == "repeat" else zero_point
            return upsample(given, factor=layer.factor, zero_point=zero)
        case Transpose():
            return given.transpose(0, *(axis + 1 for axis in layer.order))
        case Reshape():
            return given.reshape(len(given), *layer.output.shape)
        case Append():
            return append(given, rows[0], position=position)
        case Rows():
            return given[:, layer.first : layer.first + layer.count]


def combined(
    network: QuantizedNetwork,
    layer: AveragePool | Add | Multiply | MatMul | Rescale | SquaredDifference,
    inputs: list[Map],
    mode: int,
) -> tuple[NDArray[np.int64], Any]:
    """Return the sums that a layer without weights requantizes, and their multipliers."""
    zero, *more = (network.map_of(name).quantization[mode].zero_point for name in layer.inputs)
    multiplier, *others = layer.requantization[mode].multipliers
    match layer:
        case AveragePool():
            return mean(layer, inputs[0], zero, mode)
        case Add() if layer.rounding == "tflite":
            of_two, shifts = scaled_sum, layer.operand_shifts[mode]
        case SquaredDifference():
            of_two, shifts = squared_difference, layer.operand_shifts
        case Add():
            sums = weighted_sum(
                *inputs, zero_points=(zero, more[0]), multipliers=(multiplier, others[0])
            )
            return sums, 1
        case MatMul():
            sums = map_product(
                *inputs,
                groups=layer.groups,
                transposed=layer.transposed,
                zero_points=(zero, more[0]),
            )
            return sums, multiplier
        case Multiply():
            return product(*inputs, zero_points=(zero, more[0])), multiplier
        case Rescale():
            return centred(inputs[0], zero_point=zero), multiplier
    sums = of_two(
        *inputs, zero_points=(zero, more[0]), multipliers=(multiplier, others[0]), shifts=shifts
    )
    return sums, others[1]


def mean(
    layer: AveragePool, given: Map, zero_point: int, mode: int
) -> tuple[NDArray[np.int64], Any]:
    """Return the sums of windows, and their multiplier: one, or that of each position's count."""
    middle = zero_point if layer.center is None else layer.center
    kernel, stride, padding = layer.kernel, layer.stride, layer.padding
    sums = window_sums(given, kernel=kernel, stride=stride, padding=padding, zero_point=middle)
    multipliers = np.array(layer.requantization[mode].multipliers)
    if layer.divisor == "window":
        return sums, multipliers[0]
    ones = np.ones((1, *given.shape[1:3], 1), np.uint8)
    counts = window_sums(ones, kernel=kernel, stride=stride, padding=padding, zero_point=0)
    return sums, multipliers[np.searchsorted(np.unique(counts), counts)]


def of_one_layer(name: str, sums_by: WeightedSums) -> WeightedSums:
    """Return sums of which one layer's are by devices that err, and all others exact."""

    def sums(
        network: QuantizedNetwork, layer: Conv | Linear, maps: Map, mode: int
    ) -> NDArray[np.int64]:
        if layer.name == name:
            return sums_by(network, layer, maps, mode)
        return accumulate(network, layer, maps, mode=mode)

    return sums


def weighted_layer(
    network: QuantizedNetwork, layer: Conv | Linear, maps: Map, mode: int, by: WeightedSums | None
) -> Map:
    """Return the output map of a layer with weights: raw sums, or requantized."""
    if by is None:
        sums = accumulate(network, layer, maps, mode=mode)
    else:
        sums = by(network, layer, maps, mode)
    if layer.output.raw:
        return sums.astype(layer.output.dtype)
    parameters, outputs = network.parameters[layer.name], layer.output.channels_in(mode)
    multiplier, shift = parameters.multiplier[mode, :outputs], parameters.shift[mode, :outputs]
    return requantize_to(layer, sums, multiplier, shift, mode)


def accumulate(
    network: QuantizedNetwork, layer: Conv | Linear, maps: Map, *, mode: int = 0
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
        return linear(maps, pixels.reshape(outputs, -1), bias)
    depthwise = layer.groups == source.channels
    return conv(
        maps,
        weights if layer.groups > 1 else weights[..., :inputs],
        bias,
        stride=layer.stride,
        padding=layer.padding,
        groups=inputs if depthwise else layer.groups,
        zero_point=source.quantization[mode].zero_point,
    )


def requantize_to(
    layer: Weighted | Requantized, sums: NDArray[np.int64], multiplier: Any, shift: Any, mode: int
) -> Map:
    """Return sums requantized to a layer's output."""
    values = layer.output.quantization[mode]
    center = layer.center if isinstance(layer, AveragePool) else None
    return requantize(
        sums,
        multiplier=multiplier,
        shift=shift,
        rounding=layer.rounding,
        zero_point=values.zero_point if center is None else center,
        low=values.low,
        high=values.high,
        dtype=layer.output.dtype,
    )
