"""From trained float parameters on integer grids to the quantized network file."""

import numpy as np
import torch
from torch import Tensor

from hwgen.data import Dataset
from hwgen.spec.network import (
    INPUT,
    ONE_MODE,
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
    Requantization,
    byte_map,
    raw_map,
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
    """Return the integers of a trained network; its thresholds are recomputed first."""
    network = network.cpu().eval()
    network.renew_thresholds()
    image = whole_byte_map(dataset.shape, recipe.input_scale, recipe.input_zero_point)
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
        version=2,
        name=recipe.name,
        dataset=dataset.name,
        class_names=list(dataset.class_names),
        preprocessing=dataset.preprocessing,
        input=image,
        modes=ONE_MODE,
        layers=layers,
        outputs=(layers[-1].name,),
    )
    return QuantizedNetwork(graph=graph, parameters=parameters)


def export_node(
    network: QuantizedTraining, node: Node, maps: dict[str, FeatureMap]
) -> tuple[Layer, Parameters | None]:
    """Return the layer of one node, and its integers if it has any."""
    source = maps[node.inputs[0]]
    output = output_map(network, node, source)
    match node.op:
        case "conv":
            return conv_layer(node, output), export_weights(network, node, source, output)
        case "shortcut":
            return conv_layer(node, output), identity_weights(source, output)
        case "linear":
            return linear_layer(node, output), export_weights(network, node, source, output)
        case "max_pool":
            return max_pool_layer(node, output), None
        case "average_pool":
            return average_pool_layer(node, source, output), None
        case "add":
            return add_layer(node, source, maps[node.inputs[1]], output), None


def conv_layer(node: Node, output: FeatureMap) -> Conv:
    """Return a convolution; a shortcut is exported as one, too."""
    return Conv(
        name=node.name,
        op="conv",
        inputs=tuple(node.inputs),
        output=output,
        source="",
        kernel=(node.kernel, node.kernel),
        stride=(node.stride, node.stride),
        padding=(node.padding,) * 4,
        groups=1,
        weight_bits=8,
        weight_grid="integer",
    )


def linear_layer(node: Node, output: FeatureMap) -> Linear:
    """Return the fully connected layer at the end."""
    return Linear(
        name=node.name,
        op="linear",
        inputs=tuple(node.inputs),
        output=output,
        source="",
        weight_bits=8,
        weight_grid="integer",
    )


def max_pool_layer(node: Node, output: FeatureMap) -> MaxPool:
    """Return a maximum over windows."""
    return MaxPool(
        name=node.name,
        op="max_pool",
        inputs=tuple(node.inputs),
        output=output,
        source="",
        kernel=(node.kernel, node.kernel),
        stride=(node.stride, node.stride),
        padding=(node.padding,) * 4,
    )


def average_pool_layer(node: Node, source: FeatureMap, output: FeatureMap) -> AveragePool:
    """Return a mean over windows; its multiplier divides by the pixels of a window."""
    multiplier, shift = fixed_point(scale_of(source) / scale_of(output) / node.kernel**2)
    return AveragePool(
        name=node.name,
        op="average_pool",
        inputs=tuple(node.inputs),
        output=output,
        source="",
        kernel=(node.kernel, node.kernel),
        stride=(node.stride, node.stride),
        padding=(0, 0, 0, 0),
        requantization=(Requantization(multipliers=(multiplier,), shift=shift),),
    )


def add_layer(node: Node, a: FeatureMap, b: FeatureMap, output: FeatureMap) -> Add:
    """Return the sum of two maps."""
    *multipliers, shift = add_multipliers(scale_of(a), scale_of(b), scale_of(output))
    return Add(
        name=node.name,
        op="add",
        inputs=tuple(node.inputs),
        output=output,
        source="",
        requantization=(Requantization(multipliers=tuple(multipliers), shift=shift),),
    )


def output_map(network: QuantizedTraining, node: Node, source: FeatureMap) -> FeatureMap:
    """Return shape and grid of a node's output."""
    if node.op == "linear":
        # The answer stays raw; the real logit is scale * sum.
        _, scale = network.conv(node.name).integers()
        return raw_map((1, 1, node.channels), scale=scale_of(source) * float(scale[0]))
    steps = (source.height + 2 * node.padding - node.kernel) // node.stride + 1
    shape = (steps, steps, node.channels)
    if node.op in ("max_pool", "shortcut"):
        before = source.quantization[0]
        return whole_byte_map(shape, before.scale, before.zero_point, low=before.low)
    scale, zero_point = network.range(node.name).grid()
    # ReLU is the clip at the zero point.
    low = int(zero_point) if node.relu else 0
    return whole_byte_map(shape, float(scale), int(zero_point), low=low)


def whole_byte_map(shape: Shape, scale: float, zero_point: int, *, low: int = 0) -> FeatureMap:
    """Return a map of (height, width, channels) with bytes from `low` to 255."""
    return byte_map(shape, scale=scale, zero_point=zero_point, low=low, high=255)


def scale_of(feature: FeatureMap) -> float:
    """Return the real value of one step of a map."""
    return feature.quantization[0].scale


def export_weights(
    network: QuantizedTraining, node: Node, source: FeatureMap, output: FeatureMap
) -> Parameters:
    """Return weights, bias and requantization of a convolution or the head."""
    conv = network.conv(node.name)
    q, scale = conv.integers()
    steps = scale.double() * scale_of(source)
    bias = (conv.bias.double() / steps).round().long()
    return make_parameters(
        q.permute(0, 2, 3, 1),
        bias,
        scale,
        source,
        scaling=None if node.op == "linear" else steps / scale_of(output),
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
    full_bias = bias - source.quantization[0].zero_point * q.flatten(1).sum(1)
    weights = q.numpy().astype(np.int8)
    return Parameters(
        weights=weights.reshape(len(weights), -1) if flat else np.ascontiguousarray(weights),
        bias=full_bias.numpy().astype(np.int64)[np.newaxis],
        multiplier=np.array([[multiplier for multiplier, _ in fixed]], dtype=np.uint16),
        shift=np.array([[shift for _, shift in fixed]], dtype=np.uint8),
        weight_scale=scale.numpy().astype(np.float32),
    )


def add_multipliers(a_scale: float, b_scale: float, output_scale: float) -> tuple[int, int, int]:
    """Return both multipliers of a residual add and their shift, which the larger one decides."""
    larger, shift = fixed_point(max(a_scale, b_scale) / output_scale)
    smaller = round(min(a_scale, b_scale) / output_scale * 2**shift)
    return (larger, smaller, shift) if a_scale >= b_scale else (smaller, larger, shift)
