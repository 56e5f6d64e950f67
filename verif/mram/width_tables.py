"""Other width tables for a network whose weights stay: what arrives at a chip after its load."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.network import INPUT, FeatureMap, Layer, Parameters, QuantizedNetwork

Counts = Mapping[str, int]
"""Channels of each map by its name."""

CHANNEL_WISE = ("max_pool", "average_pool", "rescale", "table")


def retabled(network: QuantizedNetwork, modes: Mapping[str, Counts]) -> QuantizedNetwork:
    """Return a network with the same weights, its widest mode, and `modes` instead of the others.

    modes: channels of the maps by mode; a map that is not named has all its channels. All modes
        have the quantization, multipliers and shifts of the widest; a bias is made for the
        weights that are active.
    """
    graph = network.graph
    names = (graph.modes[0], *modes)
    counts: list[Counts] = [{}, *modes.values()]
    image = table_map(graph.input, [graph.input.channels] * len(names))
    layers: list[Layer] = []
    for layer in graph.layers:
        channels = [count.get(layer.name, layer.output.channels) for count in counts]
        changes: dict[str, Any] = {"output": table_map(layer.output, channels)}
        if hasattr(layer, "requantization"):
            changes["requantization"] = (layer.requantization[0],) * len(names)
        layers.append(replace(layer, **changes))
    fresh = replace(graph, input=image, layers=layers, modes=names)
    unfilled = QuantizedNetwork(graph=fresh, parameters=network.parameters, tables=network.tables)
    parameters = {name: table_parameters(unfilled, name, len(names)) for name in network.parameters}
    tables = {name: np.repeat(table[:1], len(names), 0) for name, table in network.tables.items()}
    return QuantizedNetwork(graph=fresh, parameters=parameters, tables=tables)


def table_map(feature: FeatureMap, channels: list[int]) -> FeatureMap:
    """Return a map with other channels, in each mode on the grid of the widest."""
    return replace(
        feature,
        mode_channels=tuple(channels) if min(channels) < feature.channels else (),
        quantization=(feature.quantization[0],) * len(channels),
    )


def table_parameters(network: QuantizedNetwork, name: str, modes: int) -> Parameters:
    """Return the arrays of a layer for other modes; those in `network` are of the widest."""
    layer: Any = next(each for each in network.layers if each.name == name)
    whole, source = network.parameters[name], network.map_of(layer.inputs[0])
    zero = source.quantization[0].zero_point
    every = layer.active(whole.weights, source, 0).astype(np.int64).sum(axis=1)
    arrays = {
        key: np.zeros((modes, array.shape[1]), array.dtype)
        for key, array in whole.arrays().items()
        if key in ("bias", "multiplier", "shift")
    }
    for mode in range(modes):
        active = layer.active(whole.weights, source, mode).astype(np.int64).sum(axis=1)
        count = len(active)
        arrays["bias"][mode, :count] = whole.bias[0, :count] + zero * (every[:count] - active)
        for key in ("multiplier", "shift"):
            arrays[key][mode, :count] = getattr(whole, key)[0, :count]
    return replace(whole, **arrays)


def draw_widths(network: QuantizedNetwork, seed: int) -> Counts:
    """Return random channels for all maps but image and answer; added maps have the same."""
    rng = np.random.default_rng(seed)
    first = {INPUT: INPUT}
    for layer in network.layers:
        first[layer.name] = layer.name
        tied = [*layer.inputs, layer.name] if layer.op in ("add", "multiply") else []
        tied += [layer.inputs[0], layer.name] if layer.op in CHANNEL_WISE else []
        streams = {first[name] for name in tied}
        first |= {name: tied[0] for name, stream in first.items() if stream in streams}
    fixed = {first[INPUT], first[network.answer]}
    drawn: dict[str, int] = {}
    for layer in network.layers:
        stream = first[layer.name]
        if stream not in fixed:
            drawn.setdefault(stream, int(rng.integers(1, layer.output.channels + 1)))
    return {
        layer.name: drawn[first[layer.name]]
        for layer in network.layers
        if first[layer.name] in drawn
    }
