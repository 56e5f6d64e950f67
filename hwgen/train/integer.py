"""The exported network in integers: the only path on which accuracy is reported."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hwgen.spec.network import (
    INPUT,
    Add,
    AveragePool,
    Concatenate,
    Conv,
    FeatureMap,
    Layer,
    Linear,
    MaxPool,
    Multiply,
    Parameters,
    QuantizedNetwork,
    Rescale,
    Shortcut,
    Table,
)
from hwgen.spec.network.maps import Sides
from hwgen.train.parallel import part_of, total

PRODUCTS_AT_ONCE = 1 << 23
"""Elements of an im2col matrix that are in memory at a time (64 MB as float64)."""
ELEMENTS_AT_ONCE = 1 << 23
"""Elements of the largest map that `integer_accuracy` holds at a time."""

Source = tuple[Tensor, FeatureMap]
"""Elements of a map, and its grid."""


def requantize(acc: Tensor, multiplier: Tensor, shift: Tensor, output: FeatureMap) -> Tensor:
    """Return clip(((acc * multiplier + 2**(shift - 1)) >> shift) + zero_point, low, high).

    acc: int64 (..., channels); multiplier, shift: int64, of one value or one for each channel
    """
    half = torch.ones_like(shift) << (shift - 1)
    scaled = (acc * multiplier + half) >> shift
    values = output.quantization[0]
    return (scaled + values.zero_point).clamp(values.low, values.high)


@torch.no_grad()
def infer(network: QuantizedNetwork, images: Tensor) -> dict[str, Tensor]:
    """Return every map by name, int64 in NHWC order; the last one holds the logits.

    network: of one mode; images: (n, height, width, channels), unsigned integers
    """
    maps = {INPUT: images.long()}
    for layer in network.layers:
        maps[layer.name] = infer_layer(network, layer, maps)
    return maps


@torch.no_grad()
def answer(network: QuantizedNetwork, images: Tensor) -> Tensor:
    """Return the map of the answer; each other map is dropped after its last reader."""
    maps = {INPUT: images.long()}
    last_reader = {name: layer.name for layer in network.layers for name in layer.inputs}
    for layer in network.layers:
        maps[layer.name] = infer_layer(network, layer, maps)
        for name in set(layer.inputs):
            if last_reader[name] == layer.name and name != network.answer:
                del maps[name]
    return maps[network.answer]


def infer_layer(network: QuantizedNetwork, layer: Layer, maps: dict[str, Tensor]) -> Tensor:
    """Return the output map of one layer, int64 NHWC."""
    sources = [(maps[name], network.map_of(name)) for name in layer.inputs]
    match layer:
        case Conv() | Linear():
            return weighted(layer, sources[0], network.parameters[layer.name])
        case AveragePool() | Add() | Multiply() | Rescale():
            return combined(layer, sources)
        case Table():
            return as_int64(network.tables[layer.name][0], sources[0][0])[sources[0][0]]
        case MaxPool() | Concatenate() | Shortcut():
            return moved(layer, [x for x, _ in sources])


def weighted(layer: Conv | Linear, source: Source, parameters: Parameters) -> Tensor:
    """Return the map of a layer with weights: raw sums, or requantized."""
    x, before = source
    acc = accumulate(layer, x, before.quantization[0].zero_point, parameters)
    if layer.output.raw:
        return acc
    multiplier = as_int64(parameters.multiplier[0], x)
    return requantize(acc, multiplier, as_int64(parameters.shift[0], x), layer.output)


def combined(layer: AveragePool | Add | Multiply | Rescale, sources: list[Source]) -> Tensor:
    """Return the map of a layer without weights that requantizes."""
    (factors,) = layer.requantization
    x, *others = (values - feature.quantization[0].zero_point for values, feature in sources)
    multiplier = factors.multipliers[0]
    match layer:
        case AveragePool():
            sums = patches(pad(x, layer.padding, 0), layer.kernel, layer.stride).sum((3, 4))
        case Add():
            sums = x * multiplier + others[0] * factors.multipliers[1]
            multiplier = 1
        case Multiply():
            sums = x * others[0]
        case Rescale():
            sums = x
    return requantize(sums, x.new_tensor(multiplier), x.new_tensor(factors.shift), layer.output)


def moved(layer: MaxPool | Concatenate | Shortcut, sources: list[Tensor]) -> Tensor:
    """Return the map of a layer that selects or moves elements."""
    x = sources[0]
    match layer:
        case MaxPool():
            # Padding never wins: no element is below zero.
            windows = patches(pad(x, layer.padding, 0), layer.kernel, layer.stride)
            return windows.amax(dim=(3, 4))
        case Concatenate():
            return torch.cat(sources, dim=3)
        case Shortcut():
            channels = layer.output.channels
            x = x[:, :: layer.stride[0], :: layer.stride[1], :channels]
            zero_point = layer.output.quantization[0].zero_point
            return functional.pad(x, (0, channels - x.shape[3]), value=zero_point)


def accumulate(layer: Conv | Linear, x: Tensor, zero_point: int, parameters: Parameters) -> Tensor:
    """Return the sums as int64, (n, height, width, filters); padding has the zero point."""
    bias = as_int64(parameters.bias[0], x)
    weights = torch.tensor(parameters.weights, device=x.device).double()
    # Whole numbers below 2**53 add up exactly in float64, in any order.
    if isinstance(layer, Linear):
        return (x.reshape(len(x), 1, 1, -1).double() @ weights.T).long() + bias
    groups, taps = layer.groups, layer.kernel[0] * layer.kernel[1]
    filters = weights.reshape(groups, len(weights) // groups, -1).transpose(1, 2)
    at_once = max(1, PRODUCTS_AT_ONCE // (x[0].numel() * taps))
    sums = []
    for part in x.split(at_once):
        windows = patches(pad(part.double(), layer.padding, zero_point), layer.kernel, layer.stride)
        shape = windows.shape[:3]
        by_group = windows.reshape(shape.numel(), taps, groups, -1).movedim(2, 0).flatten(2)
        sums.append((by_group @ filters).movedim(0, 1).reshape(*shape, -1).long())
    return torch.cat(sums) + bias


def pad(x: Tensor, padding: Sides, value: int) -> Tensor:
    """Return a map with a border of `value`; padding: top, left, bottom, right."""
    top, left, bottom, right = padding
    return functional.pad(x, (0, 0, left, right, top, bottom), value=value)


def patches(x: Tensor, kernel: tuple[int, int], stride: tuple[int, int]) -> Tensor:
    """Return (n, height, width, kh, kw, c), the window of each output."""
    windows = x.unfold(1, kernel[0], stride[0]).unfold(2, kernel[1], stride[1])
    return windows.permute(0, 1, 2, 4, 5, 3)


def as_int64(array: NDArray[Any], like: Tensor) -> Tensor:
    """Return a numpy array of integers as int64 on the device of `like`."""
    return torch.tensor(array.astype("int64"), device=like.device)


def integer_accuracy(network: QuantizedNetwork, images: Tensor, labels: Tensor) -> float:
    """Return the fraction of right images; of equal largest logits the first is the class.

    Several processes each take a part of the images.
    """
    maps = [network.graph.input, *(layer.output for layer in network.layers)]
    largest = max(each.height * each.width * each.channels for each in maps)
    at_once = max(1, ELEMENTS_AT_ONCE // largest)
    correct = torch.zeros((), dtype=torch.int64, device=images.device)
    mine, wanted = part_of(images).split(at_once), part_of(labels).split(at_once)
    for part, part_labels in zip(mine, wanted, strict=True):
        logits = answer(network, part).flatten(1)
        # Torch leaves open which of equals argmax returns; numpy and the chip take the first.
        predicted = (logits == logits.amax(1, keepdim=True)).int().argmax(1)
        correct += (predicted == part_labels).sum()
    return int(total(correct)) / len(images)
