"""The integers of an exported layer: weights, bias, requantization, tables."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from hwgen.network import FeatureMap, Parameters
from hwgen.network.quantization import fixed_point
from hwgen.train.network import QuantizedTraining
from hwgen.train.plans.plan import Node

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "silu": lambda x: x * (1 + math.tanh(x / 2)) / 2,
    "sigmoid": lambda x: (1 + math.tanh(x / 2)) / 2,
}
"""Each function of a table; tanh overflows nowhere."""


def scale_of(feature: FeatureMap) -> float:
    """Return the real value of one step of a map."""
    return feature.quantization[0].scale


def export_weights(
    network: QuantizedTraining, node: Node, source: FeatureMap, output: FeatureMap
) -> Parameters:
    """Return weights, bias and requantization of a layer with weights."""
    conv = network.conv(node.name)
    q, scale = conv.integers()
    q = q.long()
    steps = scale.double() * scale_of(source)
    bias = (conv.bias.double() / steps).round().long()
    return make_parameters(
        q.permute(0, 2, 3, 1),
        bias,
        scale,
        source,
        scaling=None if output.raw else steps / scale_of(output),
        flat=node.op == "linear",
    )


def make_parameters(
    q: Tensor,
    bias: Tensor,
    scale: Tensor,
    source: FeatureMap,
    *,
    scaling: Tensor | None,
    flat: bool,
) -> Parameters:
    """Return the arrays of one layer.

    q: int64 (filters, kh, kw, c); bias: int64 in accumulator steps, without the zero point
    scaling: real factor of each filter from accumulator to output byte; None for the head
    """
    fixed = [] if scaling is None else [fixed_point(float(factor)) for factor in scaling]
    full_bias = bias - source.quantization[0].zero_point * q.flatten(1).sum(1)
    weights = q.numpy().astype(np.int8)
    return Parameters(
        weights=weights.reshape(len(weights), -1) if flat else np.ascontiguousarray(weights),
        bias=full_bias.numpy().astype(np.int64)[np.newaxis],
        multiplier=np.array([[multiplier for multiplier, _ in fixed]], dtype=np.uint32),
        shift=np.array([[shift for _, shift in fixed]], dtype=np.uint8),
        weight_scale=scale.numpy().astype(np.float32),
    )


def add_multipliers(a_scale: float, b_scale: float, output_scale: float) -> tuple[int, int, int]:
    """Return both multipliers of a residual add and their shift, which the larger one decides."""
    larger, shift = fixed_point(max(a_scale, b_scale) / output_scale)
    smaller = round(min(a_scale, b_scale) / output_scale * 2**shift)
    return (larger, smaller, shift) if a_scale >= b_scale else (smaller, larger, shift)


def function_table(function: str, source: FeatureMap, output: FeatureMap) -> NDArray[np.uint8]:
    """Return the table (1, 256) of a function of a map of bytes, each entry rounded once."""
    before, after = source.quantization[0], output.quantization[0]
    real = [before.scale * (byte - before.zero_point) for byte in range(256)]
    values = np.array([FUNCTIONS[function](x) for x in real])
    integers = np.rint(values / after.scale) + after.zero_point
    return integers.clip(after.low, after.high).astype(np.uint8)[np.newaxis]
