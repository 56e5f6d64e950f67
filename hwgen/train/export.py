"""From trained float parameters on integer grids to the hand-over."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hwgen.data import Dataset
from hwgen.spec.network import (
    FORMAT,
    INPUT,
    VERSION,
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
from hwgen.spec.quantization import SHIFT_HIGH, fixed_point
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
    image = FeatureMap(
        **size(dataset.shape), **byte_range(recipe.input_scale, recipe.input_zero_point)
    )
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
        format=FORMAT,
        version=VERSION,
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
    source = maps[node.inputs[0]]
    output = output_map(network, node, source)
    named = {"name": node.name, "output": output}
    window = {"kernel_height": node.kernel, "kernel_width": node.kernel, "stride": node.stride}
    match node.op:
        case "conv" | "linear":
            integers = export_weights(network, node, source, output)
            head = node is network.plan.nodes[-1]
            if node.op == "linear":
                return Linear(op="linear", input=node.inputs[0], head=head, **named), integers
            conv = Conv(
                op="conv",
                input=node.inputs[0],
                padding=node.padding,
                head=head,
                **window,
                **named,
            )
            return conv, integers
        case "shortcut":
            conv = Conv(op="conv", input=node.inputs[0], padding=0, head=False, **window, **named)
            return conv, identity_weights(source, output)
        case "max_pool":
            pool = {"kernel": node.kernel, "stride": node.stride, "padding": 0}
            return MaxPool(op="max_pool", input=node.inputs[0], **pool, **named), None
        case "average_pool":
            multiplier, shift = fixed_point(source.scale / output.scale / node.kernel**2)
            fixed = {"multiplier": multiplier, "shift": shift}
            mean = AveragePool(op="average_pool", input=node.inputs[0], **fixed, **window, **named)
            return mean, None
        case "add":
            a, b = node.inputs
            fixed = add_multipliers(source.scale, maps[b].scale, output.scale)
            return Add(op="add", a=a, b=b, **fixed, **named), None


def output_map(network: QuantizedTraining, node: Node, source: FeatureMap) -> FeatureMap:
    """Return shape and grid of a node's output."""
    steps = (source.height + 2 * node.padding - node.kernel) // node.stride + 1
    if node.op in ("add", "shortcut"):
        steps = math.ceil(source.height / node.stride)
    shape = (1, 1) if node.op == "linear" else (steps, steps)
    sized = size((*shape, node.channels))
    if node is network.plan.nodes[-1]:
        # By convention of the hand-over; the scale of logits is that of the widest filter.
        _, scale = network.conv(node.name).integers()
        logit_scale = source.scale * float(scale.max())
        return FeatureMap(**sized, **byte_range(logit_scale, 0))
    if node.op in ("max_pool", "shortcut"):
        kept = {"low": source.low, "high": source.high}
        return FeatureMap(**sized, **byte_range(source.scale, source.zero_point) | kept)
    scale, zero_point = network.range(node.name).grid()
    grid = byte_range(float(scale), int(zero_point))
    # ReLU is the clip at the zero point.
    return FeatureMap(**sized, **grid | {"low": int(zero_point) if node.relu else 0})


def size(shape: Shape) -> dict[str, int]:
    """Return the first three fields of a map."""
    return dict(zip(("height", "width", "channels"), shape, strict=True))


def byte_range(scale: float, zero_point: int) -> dict[str, Any]:
    """Return the other fields of a map that uses the whole byte."""
    return {"scale": scale, "zero_point": zero_point, "low": 0, "high": 255}


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
        scaling=None if node is network.plan.nodes[-1] else steps / output.scale,
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


def add_multipliers(a_scale: float, b_scale: float, output_scale: float) -> dict[str, int]:
    """Return both multipliers of a residual add; the larger decides their common shift."""
    larger, shift = fixed_point(max(a_scale, b_scale) / output_scale, max_shift=SHIFT_HIGH)
    smaller = round(min(a_scale, b_scale) / output_scale * 2**shift)
    a, b = (larger, smaller) if a_scale >= b_scale else (smaller, larger)
    return {"multiplier_a": a, "multiplier_b": b, "shift": shift}
