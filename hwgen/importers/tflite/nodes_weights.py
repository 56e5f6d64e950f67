"""Read operators with weights: Conv2D, DepthwiseConv2D, FullyConnected.

Tests: `tests/importers/tflite/test_damaged.py`.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.node import Reading

Read = tuple[list[ir.Node], list[QuantizedMap]]
"""Nodes of an operator, and the map that each writes, the fused activation included."""

WEIGHT_BITS = {"int8": 8, "uint8": 8, "int16": 16, "int4": 4}
FILTER, BIAS = 1, 2
"""Places of weights and bias among the inputs."""
MAP, TURNED_BIAS = 2, 3
"""Places of map and bias of a transposed convolution; the first is the shape of its output."""


def conv_2d(reading: Reading) -> Read:
    """Read a convolution; its groups follow from the channels of its filters."""
    source, output = reading.map(0), reading.written()
    integers = filters(reading)
    inputs, channels = integers.shape[3], source.shape[2]
    if channels % inputs or len(integers) % (channels // inputs):
        allowed = f"such that it divides the input's channels ({channels}) into equal groups"
        raise RefusedError("the channels of a filter", allowed, inputs)
    return convolution(reading, output, weights(reading, integers, axis=0), channels // inputs)


def depthwise_conv_2d(reading: Reading) -> Read:
    """Read a depthwise convolution: a run of filters for each input channel."""
    source, output = reading.map(0), reading.written()
    integers = filters(reading)
    channels = source.shape[2]
    if len(integers) != 1 or integers.shape[3] % channels:
        allowed = f"1 x height x width x a multiple of {channels}"
        raise RefusedError("the shape of its filters", allowed, list(integers.shape))
    by_filter = np.ascontiguousarray(integers.transpose(3, 1, 2, 0))
    return convolution(reading, output, weights(reading, by_filter, axis=3), groups=channels)


def convolution(reading: Reading, output: QuantizedMap, given: ir.Weights, groups: int) -> Read:
    """Return a convolution with stride, dilation and padding of the operator's options."""
    dilation = int(reading.option("DilationHFactor")), int(reading.option("DilationWFactor"))
    if min(dilation) < 1:
        raise RefusedError("its dilation", "at least 1", list(dilation))
    _, height, width, _ = given.integers.shape
    window = (height - 1) * dilation[0] + 1, (width - 1) * dilation[1] + 1
    short = reading.number(BIAS) is not None and reading.tensor(BIAS).type == "int32"
    node = ir.Convolution(
        weights=replace(given, long_sums=not short),
        stride=reading.stride(),
        padding=reading.padding(window, reading.stride()),
        dilation=dilation,
        groups=groups,
        **with_map_only(reading),
    )
    return [node], [reading.activated(output)]


def transpose_conv(reading: Reading) -> Read:
    """Read a transposed convolution: zeros between the pixels, then turned weights."""
    source, output = reading.map(MAP), reading.written()
    for place, what in ((FILTER, "its weights"), (TURNED_BIAS, "its bias")):
        if reading.is_computed(place):
            raise RefusedError(what, "constant", "computed")
    integers, stride = filters(reading), reading.stride()
    if integers.shape[3] != source.shape[2]:
        raise RefusedError("the channels of a filter", source.shape[2], integers.shape[3])
    same = reading.option("Padding") == tflite.Padding.SAME
    sides: list[tuple[int, int]] = []
    for axis in range(2):
        kernel, size = integers.shape[1 + axis], output.shape[axis]
        grown = (source.shape[axis] - 1) * stride[axis] + 1
        both = max(grown - 1 + kernel - size, 0) if same else 0
        before = kernel - 1 - both // 2
        sides.append((before, size - grown - before + kernel - 1))
    (top, bottom), (left, right) = sides
    base = reading.base()
    between = f"{base['output']}/grown"
    height, width, channels = source.shape
    shape = (height - 1) * stride[0] + 1, (width - 1) * stride[1] + 1, channels
    given = weights(reading, integers[:, ::-1, ::-1], axis=0, bias_place=TURNED_BIAS)
    nodes: list[ir.Node] = [
        ir.Upsampling(**{**base, "output": between}, factor=stride, zeros=True),
        ir.Convolution(
            **{**base, "inputs": (between,)},
            weights=given,
            stride=(1, 1),
            padding=(top, left, bottom, right),
        ),
    ]
    return nodes, [source.reshaped(shape), reading.activated(output)]


def fully_connected(reading: Reading) -> Read:
    """Read a fully connected layer; one over the channels of every pixel is a 1 x 1 convolution."""
    if reading.option("WeightsFormat", tflite.FullyConnectedOptionsWeightsFormat.DEFAULT):
        raise RefusedError("the order of its weights", "DEFAULT", "shuffled")
    source, output = reading.map(0), reading.written()
    integers = reading.constant(FILTER, "its weights")
    if integers.ndim != 2:
        raise RefusedError("its weights", "of 2 dimensions", integers.ndim)
    given = weights(reading, integers, axis=0)
    result = [reading.activated(output)]
    elements, inputs = math.prod(source.shape), integers.shape[1]
    if elements == inputs:
        return [ir.FullyConnected(weights=given, **with_map_only(reading))], result
    if inputs != source.shape[2]:
        allowed = f"{elements}, or {source.shape[2]} for each pixel"
        raise RefusedError("the inputs of its weights", allowed, inputs)
    pixelwise = ir.Weights(**{**vars(given), "integers": integers[:, np.newaxis, np.newaxis, :]})
    node = ir.Convolution(
        weights=pixelwise, stride=(1, 1), padding=(0, 0, 0, 0), **with_map_only(reading)
    )
    return [node], result


def with_map_only(reading: Reading) -> dict[str, Any]:
    """Return the base of a node that reads one map; weights and bias must be constant."""
    for place, what in ((FILTER, "its weights"), (BIAS, "its bias")):
        if reading.is_computed(place):
            raise RefusedError(what, "constant", "computed")
    return reading.base()


def filters(reading: Reading) -> NDArray[Any]:
    """Return the weights of a convolution."""
    integers = reading.constant(FILTER, "its weights")
    if integers.ndim != 4:
        raise RefusedError("its weights", "of 4 dimensions", integers.ndim)
    return integers


def weights(
    reading: Reading, integers: NDArray[Any], *, axis: int, bias_place: int = BIAS
) -> ir.Weights:
    """Return weights with scales, zero points and bias; axis: that of the filters in the file."""
    tensor, outputs = reading.tensor(FILTER), len(integers)
    if tensor.type not in WEIGHT_BITS:
        raise RefusedError("its weights", f"of type {' or '.join(WEIGHT_BITS)}", tensor.type)
    if len(tensor.scales) not in (1, outputs) or (len(tensor.scales) > 1 and tensor.axis != axis):
        given = f"{len(tensor.scales)} along dimension {tensor.axis}"
        raise RefusedError("the scales of its weights", f"one, or {outputs}, by filter", given)
    return ir.weights_of(
        integers,
        scales=tensor.scales,
        zero_points=tensor.zero_points,
        bias=bias(reading, outputs, bias_place),
        bits=WEIGHT_BITS[tensor.type],
    )


def bias(reading: Reading, outputs: int, place: int) -> NDArray[np.int64]:
    """Return the bias, zeros if there is none."""
    if reading.number(place) is None:
        return np.zeros(outputs, np.int64)
    values = reading.integers(place, "its bias")
    if values.shape != (outputs,):
        raise RefusedError("its bias", f"{outputs} values", list(values.shape))
    return values
