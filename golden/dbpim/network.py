"""What a quantized network answers: every feature map of every image, in integers."""

import math
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.im2col import im2col
from golden.dbpim.requantizer import requantize
from golden.dbpim.simd import add, average_pool, max_pool
from hwgen.spec.network import (
    INPUT,
    Add,
    AveragePool,
    Conv,
    FeatureMap,
    Layer,
    Linear,
    MaxPool,
    QuantizedNetwork,
)

Bytes = NDArray[np.uint8]

PRODUCTS_AT_ONCE = 1 << 22
"""Elements of an im2col matrix that are in memory at a time (32 MB as float64)."""


class Clip(TypedDict):
    """Zero point and range of an output map."""

    zero_point: int
    low: int
    high: int


def predict(network: QuantizedNetwork, images: Bytes) -> NDArray[np.int64]:
    """Return the class of each image: the largest logit, the lowest index of equals."""
    classes: NDArray[np.int64] = infer(network, images)[network.layers[-1].name].argmax(axis=1)
    return classes


def infer(network: QuantizedNetwork, images: Bytes) -> dict[str, NDArray[Any]]:
    """Return all feature maps by layer name, the image itself under "input".

    images: uint8, (images, height, width, channels)
    returns: uint8 in the same order; the head's logits are int32, (images, classes)
    """
    shape = network.graph.input.shape
    if images.dtype != np.uint8 or images.shape[1:] != shape:
        given = f"{images.dtype.name} of shape {images.shape[1:]}"
        raise ValueError(f"images must be uint8 of shape {shape} each, got {given}")
    maps: dict[str, NDArray[Any]] = {INPUT: images}
    for layer in network.layers:
        maps[layer.name] = infer_layer(network, layer, [maps[name] for name in layer.inputs])
    return maps


def infer_layer(network: QuantizedNetwork, layer: Layer, inputs: list[Bytes]) -> NDArray[Any]:
    """Return the output map of one layer for its input maps (one, or two for a residual add)."""
    sources = [network.map_of(name) for name in layer.inputs]
    output = layer.output
    match layer:
        case Conv() | Linear():
            sums = accumulate(network, layer, inputs[0])
            if layer.head:
                return sums[:, 0, 0].astype(np.int32)
            parameters = network.parameters[layer.name]
            return requantize(
                sums,
                multiplier=parameters.multiplier,
                shift=parameters.shift,
                **clip_of(output),
            )
        case MaxPool():
            return max_pool(
                inputs[0], kernel=layer.kernel, stride=layer.stride, padding=layer.padding
            )
        case AveragePool():
            return average_pool(
                inputs[0],
                kernel=(layer.kernel_height, layer.kernel_width),
                stride=layer.stride,
                input_zero_point=sources[0].zero_point,
                multiplier=layer.multiplier,
                shift=layer.shift,
                **clip_of(output),
            )
        case Add():
            return add(
                inputs[0],
                inputs[1],
                zero_point_a=sources[0].zero_point,
                zero_point_b=sources[1].zero_point,
                multiplier_a=layer.multiplier_a,
                multiplier_b=layer.multiplier_b,
                shift=layer.shift,
                **clip_of(output),
            )


def accumulate(network: QuantizedNetwork, layer: Conv | Linear, maps: Bytes) -> NDArray[np.int64]:
    """Return bias + sum over k of byte * weight: (images, out_height, out_width, channels).

    The product runs in float64 and is exact: no partial sum reaches 2**53.
    """
    parameters = network.parameters[layer.name]
    filters = parameters.weights.reshape(len(parameters.bias), -1).astype(np.float64)
    positions = layer.output.height * layer.output.width
    at_once = max(1, PRODUCTS_AT_ONCE // (positions * filters.shape[1]))
    sums = [
        gather(network, layer, maps[first : first + at_once]).astype(np.float64) @ filters.T
        for first in range(0, max(1, len(maps)), at_once)
    ]
    return np.concatenate(sums).astype(np.int64) + parameters.bias


def gather(network: QuantizedNetwork, layer: Conv | Linear, maps: Bytes) -> Bytes:
    """Return the bytes that each output position sees: (images, out_height, out_width, k)."""
    if isinstance(layer, Linear):
        return maps.reshape(len(maps), 1, 1, math.prod(maps.shape[1:]))
    return im2col(
        maps,
        kernel=(layer.kernel_height, layer.kernel_width),
        stride=layer.stride,
        padding=layer.padding,
        zero_point=network.map_of(layer.input).zero_point,
    )


def clip_of(output: FeatureMap) -> Clip:
    """Return the part of the requantization that belongs to the output map."""
    return {"zero_point": output.zero_point, "low": output.low, "high": output.high}
