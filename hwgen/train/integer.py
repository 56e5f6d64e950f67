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
    Conv,
    FeatureMap,
    Layer,
    Linear,
    MaxPool,
    Parameters,
    QuantizedNetwork,
)
from hwgen.spec.network.maps import Sides


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

    images: (n, height, width, channels), values of bytes
    """
    maps = {INPUT: images.long()}
    for layer in network.layers:
        sources = [(maps[name], network.map_of(name)) for name in layer.inputs]
        maps[layer.name] = compute(layer, sources, network.parameters.get(layer.name))
    return maps


def compute(
    layer: Layer, sources: list[tuple[Tensor, FeatureMap]], parameters: Parameters | None
) -> Tensor:
    """Return the output map of one layer, int64 NHWC."""
    x, source = sources[0]
    zero_point = source.quantization[0].zero_point
    match layer:
        case Conv() | Linear():
            assert parameters is not None
            acc = accumulate(layer, x, zero_point, parameters)
            if layer.output.raw:
                return acc
            multiplier = as_int64(parameters.multiplier[0], x)
            return requantize(acc, multiplier, as_int64(parameters.shift[0], x), layer.output)
        case MaxPool():
            # Padding never wins: real bytes are not below zero.
            windows = patches(pad(x, layer.padding, 0), layer.kernel, layer.stride)
            return windows.amax(dim=(3, 4))
        case AveragePool():
            centred = pad(x - zero_point, layer.padding, 0)
            total = patches(centred, layer.kernel, layer.stride).sum((3, 4))
            (factors,) = layer.requantization
            multiplier, shift = x.new_tensor(factors.multipliers[0]), x.new_tensor(factors.shift)
            return requantize(total, multiplier, shift, layer.output)
        case Add():
            other, other_map = sources[1]
            (factors,) = layer.requantization
            first, second = factors.multipliers
            total = (x - zero_point) * first
            total += (other - other_map.quantization[0].zero_point) * second
            return requantize(total, x.new_tensor(1), x.new_tensor(factors.shift), layer.output)
        case _:
            raise ValueError(f"training has no integer evaluation of {layer.op} ({layer.name})")


def accumulate(layer: Conv | Linear, x: Tensor, zero_point: int, parameters: Parameters) -> Tensor:
    """Return the sums as int64, (n, height, width, filters); padding has the zero point."""
    if isinstance(layer, Conv):
        if layer.groups != 1:
            raise ValueError(f"training has no integer evaluation of groups ({layer.name})")
        padded = pad(x, layer.padding, zero_point)
        windows = patches(padded, layer.kernel, layer.stride).flatten(3)
    else:
        windows = x.reshape(len(x), 1, 1, -1)
    weights = torch.tensor(parameters.weights, device=x.device).flatten(1)
    # Whole numbers below 2**53 add up exactly in float64, in any order.
    product = windows.double() @ weights.double().T
    return product.long() + as_int64(parameters.bias[0], x)


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
    network: QuantizedNetwork, images: Tensor, labels: Tensor, *, batch_images: int = 250
) -> float:
    """Return the fraction of right images; of equal largest logits the first is the class."""
    correct = 0
    for start in range(0, len(images), batch_images):
        part = slice(start, start + batch_images)
        logits = infer(network, images[part])[network.answer].flatten(1)
        # Torch leaves open which of equals argmax returns; numpy and the chip take the first.
        predicted = (logits == logits.amax(1, keepdim=True)).int().argmax(1)
        correct += int((predicted == labels[part]).sum())
    return correct / len(images)
