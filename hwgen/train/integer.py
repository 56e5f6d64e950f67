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


def requantize(acc: Tensor, multiplier: Tensor, shift: Tensor, output: FeatureMap) -> Tensor:
    """Return clip(((acc * multiplier + 2**(shift - 1)) >> shift) + zero_point, low, high).

    acc: int64 (..., channels); multiplier, shift: int64, of one value or one for each channel
    """
    half = torch.ones_like(shift) << (shift - 1)
    scaled = (acc * multiplier + half) >> shift
    return (scaled + output.zero_point).clamp(output.low, output.high)


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
    match layer:
        case Conv() | Linear():
            assert parameters is not None
            acc = accumulate(layer, x, source, parameters)
            if layer.head:
                return acc
            multiplier = as_int64(parameters.multiplier, x)
            return requantize(acc, multiplier, as_int64(parameters.shift, x), layer.output)
        case MaxPool():
            # Padding never wins: real bytes are not below zero.
            windows = functional.max_pool2d(
                x.permute(0, 3, 1, 2).double(), layer.kernel, layer.stride, layer.padding
            )
            return windows.permute(0, 2, 3, 1).long()
        case AveragePool():
            kernel = (layer.kernel_height, layer.kernel_width)
            terms = patches(x - source.zero_point, kernel, layer.stride)
            total = terms.reshape(*terms.shape[:3], -1, x.shape[-1]).sum(3)
            multiplier, shift = x.new_tensor(layer.multiplier), x.new_tensor(layer.shift)
            return requantize(total, multiplier, shift, layer.output)
        case Add():
            other, other_map = sources[1]
            total = (x - source.zero_point) * layer.multiplier_a
            total += (other - other_map.zero_point) * layer.multiplier_b
            return requantize(total, x.new_tensor(1), x.new_tensor(layer.shift), layer.output)


def accumulate(
    layer: Conv | Linear, x: Tensor, source: FeatureMap, parameters: Parameters
) -> Tensor:
    """Return the int32 accumulators as int64, (n, height, width, filters)."""
    if isinstance(layer, Conv):
        edge = [layer.padding] * 4
        padded = functional.pad(x, (0, 0, *edge), value=source.zero_point)
        columns = patches(padded, (layer.kernel_height, layer.kernel_width), layer.stride)
    else:
        columns = x.reshape(len(x), 1, 1, -1)
    weights = torch.tensor(parameters.weights, device=x.device).flatten(1)
    # Whole numbers below 2**53 add up exactly in float64, in any order.
    product = columns.double() @ weights.double().T
    return product.long() + as_int64(parameters.bias, x)


def patches(x: Tensor, kernel: tuple[int, int], stride: int) -> Tensor:
    """Return (n, height, width, kh * kw * c), the window of each output with c fastest."""
    windows = x.unfold(1, kernel[0], stride).unfold(2, kernel[1], stride)
    return windows.permute(0, 1, 2, 4, 5, 3).flatten(3)


def as_int64(array: NDArray[Any], like: Tensor) -> Tensor:
    """Return a numpy array of integers as int64 beside `like`."""
    return torch.tensor(array.astype("int64"), device=like.device)


def integer_accuracy(
    network: QuantizedNetwork, images: Tensor, labels: Tensor, *, batch_images: int = 250
) -> float:
    """Return the share of images whose largest logit is the label's; of equals the first counts."""
    head = network.layers[-1].name
    correct = 0
    for start in range(0, len(images), batch_images):
        part = slice(start, start + batch_images)
        logits = infer(network, images[part])[head].flatten(1)
        # Torch leaves open which of equals argmax returns; numpy and the chip take the first.
        predicted = (logits == logits.amax(1, keepdim=True)).int().argmax(1)
        correct += int((predicted == labels[part]).sum())
    return correct / len(images)
