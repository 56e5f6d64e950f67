"""From a trained channel-adaptive network to the quantized network file with its modes."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hwgen import network as net
from hwgen.data import Dataset
from hwgen.network.quantization import MULTIPLIER_LOW, SHIFT_HIGH, fixed_point
from hwgen.network.weights import INT8_BITS, NARROW_BITS
from hwgen.train.adaptive.export_layers import adaptive_layer
from hwgen.train.adaptive.grids import weight_grid, weight_integers, weight_scale
from hwgen.train.adaptive.network import AdaptiveNetwork
from hwgen.train.adaptive.recipe import AdaptiveRecipe
from hwgen.train.plans.plan import Node

LEAST_FACTOR = MULTIPLIER_LOW / 2**SHIFT_HIGH
"""Least factor that fixed point holds; smaller ones make every sum zero either way."""


@torch.no_grad()
def export_adaptive(
    network: AdaptiveNetwork, recipe: AdaptiveRecipe, dataset: Dataset
) -> net.QuantizedNetwork:
    """Return the integers of a network that was trained on its grids, in all modes."""
    network = network.cpu().eval()
    plan, table = network.plan, network.table
    image = net.MapQuantization(
        scale=recipe.input_scale, zero_point=recipe.input_zero_point, low=0, high=255
    )
    maps = {net.INPUT: adaptive_map(network, net.INPUT, 8, [image] * len(table.modes))}
    layers: list[net.Layer] = []
    parameters: dict[str, net.Parameters] = {}
    for node in plan.nodes:
        sources = [maps[name] for name in node.inputs]
        output = output_map(network, node, sources[0])
        maps[node.name] = output
        layers.append(adaptive_layer(node, sources, output, weight_bits=network.weight_bits))
        if node.weighted:
            parameters[node.name] = export_weights(network, node, sources[0], output)
    graph = net.Graph(
        format="hwgen.network",
        version=net.VERSION,
        name=recipe.name,
        dataset=dataset.name,
        class_names=list(dataset.class_names),
        preprocessing=dataset.preprocessing,
        input=maps[net.INPUT],
        modes=table.modes,
        layers=layers,
        outputs=(layers[-1].name,),
    )
    return net.QuantizedNetwork(graph=graph, parameters=parameters, tables={})


def adaptive_map(
    network: AdaptiveNetwork, name: str, bits: int, quantization: list[net.MapQuantization]
) -> net.FeatureMap:
    """Return a map with its channels and its grid in every mode."""
    height, width, channels = network.plan.shapes[name]
    counts = network.table.channels[name]
    return net.FeatureMap(
        height=height,
        width=width,
        channels=channels,
        mode_channels=counts if min(counts) < channels else (),
        bits=bits,
        quantization=tuple(quantization),
    )


def output_map(network: AdaptiveNetwork, node: Node, source: net.FeatureMap) -> net.FeatureMap:
    """Return the map of a node's output."""
    if network.is_head(node):
        # The answer stays raw; the real logit is scale * sum.
        scale = float(integers_of(network, node)[1][0])
        bits = 32 if source.bits + network.weight_bits <= NARROW_BITS else 64
        raw = [
            net.MapQuantization(scale=before.scale * scale, zero_point=0, low=0, high=0)
            for before in source.quantization
        ]
        return adaptive_map(network, node.name, bits, raw)
    bits = network.activation_bits
    highest = (1 << bits) - 1
    if node.op in ("max_pool", "shortcut"):
        same = [
            net.MapQuantization(
                scale=before.scale, zero_point=before.zero_point, low=before.low, high=highest
            )
            for before in source.quantization
        ]
        return adaptive_map(network, node.name, source.bits, same)
    values = []
    for mode in range(len(network.table.modes)):
        step, zero = network.range(node.name, mode).grid()
        # ReLU is the clip at the zero point.
        low = 0 if node.clip == "none" else int(zero)
        values.append(
            net.MapQuantization(scale=float(step), zero_point=int(zero), low=low, high=highest)
        )
    return adaptive_map(network, node.name, bits, values)


def integers_of(network: AdaptiveNetwork, node: Node) -> tuple[Tensor, Tensor]:
    """Return int64 weights (out, in, kh, kw) of the widest mode, and the step of each filter."""
    weight = network.layer(node.name).weight.detach()
    scale = weight_scale(weight, network.weight_bits, common=network.is_head(node))
    return weight_integers(weight, scale, network.weight_bits).long(), scale


def export_weights(
    network: AdaptiveNetwork, node: Node, source: net.FeatureMap, output: net.FeatureMap
) -> net.Parameters:
    """Return the shared weights of a layer, and bias and requantization of every mode."""
    q, scale = integers_of(network, node)
    modes, filters = len(network.table.modes), len(q)
    bias = np.zeros((modes, filters), np.int64)
    multiplier = np.zeros((modes, 0 if output.raw else filters), np.uint32)
    shift = np.zeros((modes, 0 if output.raw else filters), np.uint8)
    for mode in range(modes):
        count, inputs = output.channels_in(mode), source.channels_in(mode)
        before, after = source.quantization[mode], output.quantization[mode]
        gain, offset = affine(network, node, mode)
        steps = scale[:count].double() * before.scale
        active = q[:count, :inputs].flatten(1).sum(1)
        sums = (offset / steps).round().long() - before.zero_point * active
        bias[mode, :count] = sums.numpy()
        if not output.raw:
            factors = gain * steps / after.scale
            fixed = [fixed_point(max(float(factor), LEAST_FACTOR)) for factor in factors]
            multiplier[mode, :count] = [m for m, _ in fixed]
            shift[mode, :count] = [s for _, s in fixed]
    wide = weight_grid(network.weight_bits) == "integer" and network.weight_bits > INT8_BITS
    weights: NDArray[np.int16 | np.int8] = (
        q.permute(0, 2, 3, 1).numpy().astype(np.int16 if wide else np.int8)
    )
    if node.op == "linear":
        weights = weights.reshape(filters, -1)
    return net.Parameters(
        weights=np.ascontiguousarray(weights),
        bias=bias,
        multiplier=multiplier,
        shift=shift,
        weight_scale=scale.numpy().astype(np.float32),
    )


def affine(network: AdaptiveNetwork, node: Node, mode: int) -> tuple[Tensor, Tensor]:
    """Return gain and offset of each filter in a mode: output = gain * (sum + offset)."""
    layer = network.layer(node.name)
    if not node.norm:
        bias = layer.biases[mode].detach().double()
        return torch.ones_like(bias), bias
    norm = layer.norm(mode)
    assert norm.running_mean is not None and norm.running_var is not None
    gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    return gain, norm.bias.double() / gain - norm.running_mean.double()
