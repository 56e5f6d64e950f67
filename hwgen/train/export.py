"""From trained float parameters on integer grids to the hand-over."""

import numpy as np
import torch
from torch import Tensor

from hwgen.data import Dataset
from hwgen.spec.network import (
    INPUT,
    Add,
    AveragePool,
    Conv,
    FeatureMap,
    Graph,
    Layer,
    Linear,
    MaxPool,
    Parameters,
    QuantizedNetwork,
)
from hwgen.spec.quantization import fixed_point
from hwgen.train.models import Node
from hwgen.train.network import QuantizedTraining
from hwgen.train.recipe import Recipe

IDENTITY = 64
"""Weight of an exported shortcut: one CSD digit, so that it costs one cell."""

Shape = tuple[int, int, int]


@torch.no_grad()
def export_network(
    network: QuantizedTraining, recipe: Recipe, dataset: Dataset
) -> QuantizedNetwork:
    """Return the integers of a trained network; its thresholds are found a last time."""
    network = network.cpu().eval()
    network.renew_thresholds()
    image = byte_map(dataset.shape, recipe.input_scale, recipe.input_zero_point)
    maps = {INPUT: image}
    layers: list[Layer] = []
    parameters = {}
    for node in network.plan.nodes:
        layer, integers = export_node(network, node, maps)
        maps[node.name] = layer.output
        layers.append(layer)
        if integers is not None:
            parameters[node.name] = integers
    graph = Graph(
        format="hwgen.network",
        version=1,
        name=recipe.name,
        dataset=dataset.name,
        class_names=list(dataset.class_names),
        preprocessing=dataset.preprocessing,
        input=image,
        layers=layers,
    )
    return QuantizedNetwork(graph=graph, parameters=parameters)


def export_node(
    network: QuantizedTraining, node: Node, maps: dict[str, FeatureMap]
) -> tuple[Layer, Parameters | None]:
    """Return the layer of one node, and its integers if it has any."""
    name, first = node.name, node.inputs[0]
    source = maps[first]
    output = output_map(network, node, source)
    match node.op:
        case "conv" | "shortcut":
            conv = Conv(
                name=name,
                op="conv",
                input=first,
                kernel_height=node.kernel,
                kernel_width=node.kernel,
                stride=node.stride,
                padding=node.padding,
                head=False,
                output=output,
            )
            if node.op == "shortcut":
                return conv, identity_weights(source, output)
            return conv, export_weights(network, node, source, output)
        case "linear":
            head = Linear(name=name, op="linear", input=first, head=True, output=output)
            return head, export_weights(network, node, source, output)
        case "max_pool":
            pool = MaxPool(
                name=name,
                op="max_pool",
                input=first,
                kernel=node.kernel,
                stride=node.stride,
                padding=node.padding,
                output=output,
            )
            return pool, None
        case "average_pool":
            multiplier, shift = fixed_point(source.scale / output.scale / node.kernel**2)
            mean = AveragePool(
                name=name,
                op="average_pool",
                input=first,
                kernel_height=node.kernel,
                kernel_width=node.kernel,
                stride=node.stride,
                multiplier=multiplier,
                shift=shift,
                output=output,
            )
            return mean, None
        case "add":
            other = node.inputs[1]
            a, b, shift = add_multipliers(source.scale, maps[other].scale, output.scale)
            total = Add(
                name=name,
                op="add",
                a=first,
                b=other,
                multiplier_a=a,
                multiplier_b=b,
                shift=shift,
                output=output,
            )
            return total, None


def output_map(network: QuantizedTraining, node: Node, source: FeatureMap) -> FeatureMap:
    """Return shape and grid of a node's output."""
    if node.op == "linear":
        # By convention of the hand-over; the real logit is scale * integer.
        _, scale = network.conv(node.name).integers()
        return byte_map((1, 1, node.channels), source.scale * float(scale[0]), 0)
    steps = (source.height + 2 * node.padding - node.kernel) // node.stride + 1
    shape = (steps, steps, node.channels)
    if node.op in ("max_pool", "shortcut"):
        return byte_map(shape, source.scale, source.zero_point, low=source.low)
    scale, zero_point = network.range(node.name).grid()
    # ReLU is the clip at the zero point.
    return byte_map(shape, float(scale), int(zero_point), low=int(zero_point) if node.relu else 0)


def byte_map(shape: Shape, scale: float, zero_point: int, *, low: int = 0) -> FeatureMap:
    """Return a map of (height, width, channels) with bytes from `low` to 255."""
    height, width, channels = shape
    return FeatureMap(
        height=height,
        width=width,
        channels=channels,
        scale=scale,
        zero_point=zero_point,
        low=low,
        high=255,
    )


def export_weights(
    network: QuantizedTraining, node: Node, source: FeatureMap, output: FeatureMap
) -> Parameters:
    """Return weights, bias and requantization of a convolution or the head."""
    conv = network.conv(node.name)
    q, scale = conv.integers()
    steps = scale.double() * source.scale
    bias = (conv.bias.double() / steps).round().long()
    return make_parameters(
        q.permute(0, 2, 3, 1),
        bias,
        scale,
        source,
        scaling=None if node.op == "linear" else steps / output.scale,
        flat=node.op == "linear",
    )


def identity_weights(source: FeatureMap, output: FeatureMap) -> Parameters:
    """Return the 1 x 1 filters that copy the input's channels and leave the others at zero."""
    q = torch.zeros(output.channels, 1, 1, source.channels, dtype=torch.int64)
    for channel in range(source.channels):
        q[channel, 0, 0, channel] = IDENTITY
    scale = torch.full((output.channels,), 1 / IDENTITY)
    bias = torch.zeros(output.channels, dtype=torch.int64)
    return make_parameters(q, bias, scale, source, scaling=scale.double(), flat=False)


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
    full_bias = bias - source.zero_point * q.flatten(1).sum(1)
    weights = q.numpy().astype(np.int8)
    return Parameters(
        weights=weights.reshape(len(weights), -1) if flat else np.ascontiguousarray(weights),
        bias=full_bias.numpy().astype(np.int32),
        multiplier=np.array([multiplier for multiplier, _ in fixed], dtype=np.uint16),
        shift=np.array([shift for _, shift in fixed], dtype=np.uint8),
        weight_scale=scale.numpy().astype(np.float32),
    )


def add_multipliers(a_scale: float, b_scale: float, output_scale: float) -> tuple[int, int, int]:
    """Return both multipliers of a residual add and their shift, which the larger one decides."""
    larger, shift = fixed_point(max(a_scale, b_scale) / output_scale)
    smaller = round(min(a_scale, b_scale) / output_scale * 2**shift)
    return (larger, smaller, shift) if a_scale >= b_scale else (smaller, larger, shift)
