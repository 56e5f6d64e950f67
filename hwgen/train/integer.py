"""The exported network in integers: the only path on which accuracy is reported."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hwgen import network as net
from hwgen.network.maps import Sides
from hwgen.train.parallel import part_of, total

EXACT_FLOAT32 = 1 << 24
"""Whole numbers up to this are exact in float32."""
PRODUCTS_AT_ONCE = 1 << 23
"""Elements of an im2col matrix that are in memory at a time (64 MB as float64)."""
ELEMENTS_AT_ONCE = 1 << 23
"""Elements of the largest map that `classes_of` holds at a time."""

Source = tuple[Tensor, net.MapQuantization]
"""Elements of a map, and its grid in the mode."""


def requantize(
    acc: Tensor, multiplier: Tensor, shift: Tensor, values: net.MapQuantization
) -> Tensor:
    """Return clip(((acc * multiplier + 2**(shift - 1)) >> shift) + zero_point, low, high).

    acc: int64 (..., channels); multiplier, shift: int64, of one value or one for each channel
    """
    half = torch.ones_like(shift) << (shift - 1)
    scaled = (acc * multiplier + half) >> shift
    return (scaled + values.zero_point).clamp(values.low, values.high)


@torch.no_grad()
def infer(network: net.QuantizedNetwork, images: Tensor, *, mode: int = 0) -> dict[str, Tensor]:
    """Return every map of a mode by name, int64 in NHWC order; the last one holds the logits.

    images: (n, height, width, channels of the widest mode), unsigned integers
    """
    maps = {net.INPUT: mode_images(network, images, mode)}
    for layer in network.layers:
        maps[layer.name] = infer_layer(network, layer, maps, mode)
    return maps


@torch.no_grad()
def answer(network: net.QuantizedNetwork, images: Tensor, *, mode: int = 0) -> Tensor:
    """Return the map of the answer; each other map is dropped after its last reader."""
    maps = {net.INPUT: mode_images(network, images, mode)}
    last_reader = {name: layer.name for layer in network.layers for name in layer.inputs}
    for layer in network.layers:
        maps[layer.name] = infer_layer(network, layer, maps, mode)
        for name in set(layer.inputs):
            if last_reader[name] == layer.name and name != network.answer:
                del maps[name]
    return maps[network.answer]


def mode_images(network: net.QuantizedNetwork, images: Tensor, mode: int) -> Tensor:
    """Return the channels of images that a mode reads, int64."""
    return images[..., : network.graph.input.channels_in(mode)].long()


def infer_layer(
    network: net.QuantizedNetwork, layer: net.Layer, maps: dict[str, Tensor], mode: int
) -> Tensor:
    """Return the output map of one layer in a mode, int64 NHWC."""
    sources = [(maps[name], network.map_of(name).quantization[mode]) for name in layer.inputs]
    match layer:
        case net.Conv() | net.Linear():
            in_mode = mode_parameters(network, layer, mode)
            return weighted(layer, sources[0], in_mode, mode)
        case net.AveragePool() | net.Add() | net.Multiply() | net.Rescale():
            return combined(layer, sources, mode)
        case net.Table():
            return as_int64(network.tables[layer.name][mode], sources[0][0])[sources[0][0]]
        case net.MaxPool() | net.Concatenate() | net.Shortcut():
            return moved(layer, [x for x, _ in sources], mode)
        case _:
            raise ValueError(f"layers of training must be of other kinds, got {layer.op}")


def mode_parameters(
    network: net.QuantizedNetwork, layer: net.Conv | net.Linear, mode: int
) -> net.Parameters:
    """Return the arrays of one mode: the first filters, and their first channels."""
    whole, source = network.parameters[layer.name], network.map_of(layer.inputs[0])
    outputs, inputs = layer.output.channels_in(mode), source.channels_in(mode)
    weights = whole.weights[:outputs]
    if isinstance(layer, net.Linear):
        pixels = weights.reshape(outputs, -1, source.channels)[..., :inputs]
        weights = pixels.reshape(outputs, -1)
    elif layer.groups == 1:
        weights = weights[..., :inputs]
    return net.Parameters(
        weights=weights,
        bias=whole.bias[mode, :outputs],
        multiplier=whole.multiplier[mode, :outputs],
        shift=whole.shift[mode, :outputs],
        weight_scale=whole.weight_scale[:outputs],
    )


def weighted_sums(
    network: net.QuantizedNetwork, layer: net.Conv | net.Linear, maps: dict[str, Tensor], mode: int
) -> Tensor:
    """Return the sums of a layer with weights before requantization, int64 NHWC."""
    before = network.map_of(layer.inputs[0]).quantization[mode]
    parameters = mode_parameters(network, layer, mode)
    return accumulate(layer, maps[layer.inputs[0]], before.zero_point, parameters)


def weighted(
    layer: net.Conv | net.Linear, source: Source, parameters: net.Parameters, mode: int
) -> Tensor:
    """Return the map of a layer with weights: raw sums, or requantized; parameters: of the mode."""
    x, before = source
    acc = accumulate(layer, x, before.zero_point, parameters)
    if layer.output.raw:
        return acc
    multiplier, shift = as_int64(parameters.multiplier, x), as_int64(parameters.shift, x)
    return requantize(acc, multiplier, shift, layer.output.quantization[mode])


def combined(
    layer: net.AveragePool | net.Add | net.Multiply | net.Rescale, sources: list[Source], mode: int
) -> Tensor:
    """Return the map of a layer without weights that requantizes."""
    factors = layer.requantization[mode]
    x, *others = (values - grid.zero_point for values, grid in sources)
    multiplier = factors.multipliers[0]
    match layer:
        case net.AveragePool():
            sums = patches(pad(x, layer.padding, 0), layer.kernel, layer.stride).sum((3, 4))
        case net.Add():
            sums = x * multiplier + others[0] * factors.multipliers[1]
            multiplier = 1
        case net.Multiply():
            sums = x * others[0]
        case net.Rescale():
            sums = x
    values = layer.output.quantization[mode]
    return requantize(sums, x.new_tensor(multiplier), x.new_tensor(factors.shift), values)


def moved(
    layer: net.MaxPool | net.Concatenate | net.Shortcut, sources: list[Tensor], mode: int
) -> Tensor:
    """Return the map of a layer that selects or moves elements."""
    x = sources[0]
    match layer:
        case net.MaxPool():
            # Padding never wins: no element is below zero.
            windows = patches(pad(x, layer.padding, 0), layer.kernel, layer.stride)
            return windows.amax(dim=(3, 4))
        case net.Concatenate():
            return torch.cat(sources, dim=3)
        case net.Shortcut():
            channels = layer.output.channels_in(mode)
            x = x[:, :: layer.stride[0], :: layer.stride[1], :channels]
            zero_point = layer.output.quantization[mode].zero_point
            return functional.pad(x, (0, channels - x.shape[3]), value=zero_point)


def accumulate(
    layer: net.Conv | net.Linear, x: Tensor, zero_point: int, parameters: net.Parameters
) -> Tensor:
    """Return the sums as int64, (n, height, width, filters); padding has the zero point."""
    bias = as_int64(parameters.bias, x)
    weights = torch.tensor(parameters.weights, device=x.device)
    if isinstance(layer, net.Conv) and fits_float32(x, weights, zero_point):
        return convolve(layer, x, zero_point, weights) + bias
    weights = weights.double()
    # Whole numbers below 2**53 add up exactly in float64, in any order.
    if isinstance(layer, net.Linear):
        return (x.reshape(len(x), 1, 1, -1).double() @ weights.T).long() + bias
    # A depthwise convolution has as many groups as the mode has channels.
    groups = x.shape[3] // weights.shape[3]
    taps = layer.kernel[0] * layer.kernel[1]
    filters = weights.reshape(groups, len(weights) // groups, -1).transpose(1, 2)
    at_once = max(1, PRODUCTS_AT_ONCE // (x[0].numel() * taps))
    sums = []
    for part in x.split(at_once):
        windows = patches(pad(part.double(), layer.padding, zero_point), layer.kernel, layer.stride)
        shape = windows.shape[:3]
        by_group = windows.reshape(shape.numel(), taps, groups, -1).movedim(2, 0).flatten(2)
        sums.append((by_group @ filters).movedim(0, 1).reshape(*shape, -1).long())
    return torch.cat(sums) + bias


def fits_float32(x: Tensor, weights: Tensor, zero_point: int) -> bool:
    """Whether a float32 convolution is exact: no sum of magnitudes is above 2**24.

    oneDNN multiplies and adds; other libraries may transform the filters (Winograd).
    """
    if x.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    largest = max(int(x.max()), zero_point)
    most = weights.flatten(1).long().abs().sum(1).max()  # int8 has no 128
    return largest * int(most) <= EXACT_FLOAT32


def convolve(layer: net.Conv, x: Tensor, zero_point: int, weights: Tensor) -> Tensor:
    """Return the sums of a convolution, int64 NHWC, computed in float32."""
    planes = pad(x, layer.padding, zero_point).float().permute(0, 3, 1, 2)
    # A depthwise convolution has as many groups as the mode has channels.
    groups = x.shape[3] // weights.shape[3]
    filters = weights.float().permute(0, 3, 1, 2)
    sums = functional.conv2d(planes, filters, stride=layer.stride, groups=groups)
    return sums.permute(0, 2, 3, 1).long()


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


def integer_accuracy(
    network: net.QuantizedNetwork, images: Tensor, labels: Tensor, *, mode: int = 0
) -> float:
    """Return the fraction of images that a mode gets right.

    Several processes each take a part of the images.
    """
    right = classes_of(network, part_of(images), mode=mode) == part_of(labels)
    return int(total(right.sum())) / len(images)


def classes_of(network: net.QuantizedNetwork, images: Tensor, *, mode: int = 0) -> Tensor:
    """Return the class of each image in a mode, int64 (n,); of equal largest logits the first."""
    maps = [network.graph.input, *(layer.output for layer in network.layers)]
    largest = max(each.height * each.width * each.channels for each in maps)
    classes = []
    for part in images.split(max(1, ELEMENTS_AT_ONCE // largest)):
        logits = answer(network, part, mode=mode).flatten(1)
        # Torch leaves open which of equals argmax returns; numpy and the chip take the first.
        classes.append((logits == logits.amax(1, keepdim=True)).int().argmax(1))
    return torch.cat(classes)
