"""Layers with weights: convolutions, fully connected layers, and what becomes a convolution.

Tests: `tests/importers/integer/test_lower.py`.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer import arithmetic
from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.constants import FINEST_WEIGHT, Operand, fitted
from hwgen.importers.integer.factors import Factor
from hwgen.importers.integer.graph import BIAS_NOTE
from hwgen.importers.integer.layers import Layers, adds
from hwgen.importers.integer.lower_maps import different_means, scaled
from hwgen.importers.integer.maps import QuantizedMap, quantized_map
from hwgen.importers.integer.real_bias import with_real_bias
from hwgen.network import Add, Constant, Conv, Linear, Multiply, Parameters
from hwgen.network.maps import BYTE_BITS
from hwgen.network.quantization import HALF_UP, Rounding
from hwgen.network.weights import NARROW_BITS

INT8_BITS = 8

FACTOR_NOTE = "its factors are rounded"
WITH_MAP = ("ADD", "MUL")
"""Operators whose constants LiteRT's reference kernels compute with as with a map."""


@adds(ir.Convolution)
def add_convolution(layers: Layers, node: ir.Convolution) -> None:
    """Add a convolution; dilation becomes a kernel filled with zeros."""
    source, output = layers.sources(node)[0], layers.output(node)
    parameters, bits, rounding = parameters_of(layers, node, node.weights, source, output)
    weights = dilated(parameters.weights, node.dilation)
    base = layers.base(node, output, layers.inputs(node))
    layers.layers.append(
        Conv(
            op="conv",
            kernel=(weights.shape[1], weights.shape[2]),
            stride=node.stride,
            padding=node.padding,
            groups=node.groups,
            weight_bits=bits,
            weight_grid="integer",
            rounding=rounding,
            **base,
        )
    )
    arrays = layers.shared.all_of({**parameters.arrays(), "weights": weights})
    layers.parameters[base["name"]] = Parameters(**arrays)
    if node.operator == "MEAN" and layers.kernels == "xnnpack":
        layers.sums_differ(node, different_means(source.shape[2], source, output, None))


@adds(ir.FullyConnected)
def add_fully_connected(layers: Layers, node: ir.FullyConnected) -> None:
    """Add a fully connected layer over the whole input map."""
    source, output = layers.sources(node)[0], layers.output(node)
    parameters, bits, rounding = parameters_of(layers, node, node.weights, source, output)
    base = layers.base(node, output, layers.inputs(node))
    layers.layers.append(
        Linear(op="linear", weight_bits=bits, weight_grid="integer", rounding=rounding, **base)
    )
    layers.parameters[base["name"]] = Parameters(**layers.shared.all_of(parameters.arrays()))


def parameters_of(
    layers: Layers, node: ir.Node, weights: ir.Weights, source: QuantizedMap, output: QuantizedMap
) -> tuple[Parameters, int, Rounding]:
    """Return the arrays of a layer, its weight bits, and how its sums round.

    The bias takes in minus the unsigned zero point of the input times the sum of the weights.
    """
    rest = weights.rest
    if rest is not None and not output.raw:
        if layers.kernels_for(source, output) == "onnxruntime":
            weights, off = with_real_bias(weights, source, output)
        else:
            steps = weights.scales * source.scale / output.scale
            off = float(np.abs(rest * steps).max(initial=0.0))
        layers.note(node, BIAS_NOTE, off)
    centred = weights.centred
    bits = weight_bits(centred, weights.bits)
    zero_point = source.zero_point + source.offset
    sums = centred.reshape(len(centred), -1).sum(axis=1)
    rounding, factors = HALF_UP, list[Factor]()
    if not output.raw:
        wide = source.bits + bits > NARROW_BITS or output.bits > BYTE_BITS
        given = (weights.scales, source, output)
        if wide and weights.long_sums and layers.kernels in ("xnnpack", "reference"):
            factors = arithmetic.wide_factors(*given)
        else:
            kernels = "half_up" if wide else layers.kernels
            matrix = isinstance(node, ir.FullyConnected) or node.operator == "FULLY_CONNECTED"
            rounding, factors = arithmetic.filter_factors(kernels, *given, matrix=matrix)
            mean = arithmetic.mean_factors(kernels, source.shape[2], source, output)
            if node.operator == "MEAN" and mean is not None:
                rounding, factors = mean[0], [mean[1]]
        real = weights.scales * source.scale / output.scale
        layers.note(node, FACTOR_NOTE, effect(real, factors, output))
    parameters = Parameters(
        weights=np.ascontiguousarray(centred, np.int8 if bits <= INT8_BITS else np.int16),
        bias=(weights.bias.astype(np.int64) - zero_point * sums)[np.newaxis],
        multiplier=np.array([[each.multiplier for each in factors]], np.uint32),
        shift=np.array([[each.shift for each in factors]], np.uint8),
        weight_scale=weights.scales.astype(np.float32),
    )
    return parameters, bits, rounding


def weight_bits(centred: NDArray[np.int64], given: int) -> int:
    """Return the bits of the weights: those of the file, more if zero points make them wider."""
    bits = max(2, given)
    while centred.max() >= 1 << (bits - 1) or centred.min() < -(1 << (bits - 1)):
        bits += 1
    return bits


def effect(real: NDArray[np.float64], factors: list[Factor], output: QuantizedMap) -> float:
    """Return the largest change of an element that is not clipped, in steps before rounding."""
    relative = [
        each.error / value for each, value in zip(factors, real, strict=True) if each.error > 0
    ]
    return max(relative, default=0.0) * output.reach


def dilated(weights: NDArray[np.int8], dilation: tuple[int, int]) -> NDArray[np.int8]:
    """Return kernels with zeros between their rows and columns."""
    if dilation == (1, 1):
        return weights
    out, height, width, inputs = weights.shape
    rows, columns = dilation
    wide = np.zeros(
        (out, (height - 1) * rows + 1, (width - 1) * columns + 1, inputs), weights.dtype
    )
    wide[:, ::rows, ::columns] = weights
    return wide


@adds(ir.PerChannel)
def add_per_channel(layers: Layers, node: ir.PerChannel) -> None:
    """Add constants by channel: a depthwise 1 x 1 convolution of one weight a channel.

    The weight is 127 or -127 with the scale that gives the factor, so that only the offset rounds.
    """
    source = layers.sources(node)[0]
    channels = source.shape[2]
    factor = np.broadcast_to(node.factor, channels).astype(np.float64)
    offset = np.broadcast_to(node.offset, channels).astype(np.float64)
    kernels = layers.kernels_for(source, layers.output(node))
    if node.operand is not None and kernels in ("xnnpack", "onnxruntime"):
        add_fitted(layers, node, node.operand, factor, offset)
        return
    if node.operand is not None and kernels == "reference" and node.operator in WITH_MAP:
        add_with_map(layers, node, node.operand, channels)
        return
    used = np.where(factor == 0, source.scale, factor)
    scales = np.abs(used) / FINEST_WEIGHT
    integers = np.where(factor == 0, 0, np.sign(used) * FINEST_WEIGHT).astype(np.int64)
    steps = source.scale * scales
    bias = np.rint(offset / steps)
    layers.note(
        node,
        "its constants are rounded",
        float(np.abs(bias * steps - offset).max()) / layers.output(node).scale,
    )
    kernel = integers.reshape(-1, 1, 1, 1)
    bias = bias.astype(np.int64)
    add_instead(layers, node, kernel, groups=channels, scales=scales, bias=bias)


def add_with_map(layers: Layers, node: ir.PerChannel, operand: Operand, channels: int) -> None:
    """Add constants by channel as a map that holds them, and the operation of two maps."""
    source, output = layers.sources(node)[0], layers.output(node)
    name = layers.name_for(f"{node.name}_constant")
    centred = np.broadcast_to(operand.centred, channels)
    zero = max(0, -int(centred.min()))
    product = node.operator == "MUL"
    values = quantized_map(
        (1, 1, channels) if product else source.shape,
        signed=False,
        scale=operand.scale,
        zero_point=zero,
    )
    layers.layers.append(
        Constant(op="constant", name=name, inputs=(), output=values.feature_map(), source="")
    )
    held = np.broadcast_to((centred + zero).astype(np.uint8), values.shape)
    layers.held[name] = {"map": np.ascontiguousarray(held)}
    base = layers.base(node, output, (*layers.inputs(node), name))
    if product:
        scaling = arithmetic.product_scaling("reference", [source.scale, operand.scale], output)
        layers.layers.append(Multiply(op="multiply", **scaled(scaling), **base))
        return
    scaling = arithmetic.addition_scaling("reference", (1.0, 1.0), [source, values], output)
    shifts = scaling.operand_shifts
    layers.layers.append(Add(op="add", operand_shifts=shifts, **scaled(scaling), **base))


def add_fitted(
    layers: Layers,
    node: ir.PerChannel,
    operand: Operand,
    factor: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> None:
    """Add constants by channel as the runtime computes them: by a table if no convolution does."""
    source, output = layers.sources(node)[0], layers.output(node)
    wanted = operand.results(source, output, operand)
    alike = len(wanted) == 1
    fit = fitted(
        source, output, np.broadcast_to(wanted, (len(factor), wanted.shape[1])), factor, offset
    )
    if alike and fit.different:
        layers.add_table(node, wanted[0])
        return
    layers.results_differ(node, fit.different, wanted.size)
    kernel = fit.weights.reshape(-1, 1, 1, 1)
    add_instead(layers, node, kernel, groups=len(kernel), scales=fit.scales, bias=fit.bias)


@adds(ir.Padding)
def add_padding(layers: Layers, node: ir.Padding) -> None:
    """Add rows and columns of zeros: a depthwise convolution whose only tap reads the input."""
    top, left, bottom, right = node.sides
    height, width = top + bottom, left + right
    kernel = np.zeros((layers.sources(node)[0].shape[2], height + 1, width + 1, 1), np.int64)
    kernel[:, bottom, right] = 1
    padding = (height, width, height, width)
    add_instead(layers, node, kernel, groups=len(kernel), padding=padding)


def add_instead(
    layers: Layers,
    node: ir.Node,
    kernel: NDArray[np.int64],
    *,
    groups: int,
    scales: NDArray[np.float64] | float = 1.0,
    bias: NDArray[np.int64] | int = 0,
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> None:
    """Add a convolution of stride 1 in place of a node."""
    add_convolution(
        layers,
        ir.Convolution(
            name=node.name,
            operator=node.operator,
            inputs=node.inputs,
            output=node.output,
            weights=ir.weights_of(kernel, scales=scales, bias=bias),
            stride=(1, 1),
            padding=padding,
            groups=groups,
        ),
    )


@adds(ir.Selection)
def add_selection(layers: Layers, node: ir.Selection) -> None:
    """Add channels in another order: a 1 x 1 convolution with one weight of 1 a filter."""
    kernel = np.zeros((len(node.channels), 1, 1, layers.sources(node)[0].shape[2]), np.int64)
    kernel[np.arange(len(node.channels)), 0, 0, list(node.channels)] = 1
    add_instead(layers, node, kernel, groups=1)
