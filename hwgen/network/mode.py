"""One mode of a network as a network of its own.

Tests: `tests/importers/onnx/test_export.py`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network.add import Add
from hwgen.network.conv import Conv
from hwgen.network.graph import Layer, QuantizedNetwork
from hwgen.network.layer import Requantized
from hwgen.network.linear import Linear
from hwgen.network.maps import FeatureMap
from hwgen.network.weights import Parameters


def in_mode(network: QuantizedNetwork, mode: int) -> QuantizedNetwork:
    """Return the network that a mode is: the first channels of every map, its integers only."""
    graph = network.graph
    parameters = {
        layer.name: weights_in(layer, network.parameters[layer.name], network, mode)
        for layer in graph.layers
        if isinstance(layer, Conv | Linear)
    }
    return QuantizedNetwork(
        graph=replace(
            graph,
            input=map_in(graph.input, mode),
            modes=(graph.modes[mode],),
            layers=[layer_in(layer, network, mode) for layer in graph.layers],
        ),
        parameters=parameters,
        tables={name: table[mode : mode + 1] for name, table in network.tables.items()},
        held=network.held,
        raw_image=network.raw_image,
        answer_places=network.answer_places,
        token_rows=network.token_rows,
    )


def map_in(feature: FeatureMap, mode: int) -> FeatureMap:
    """Return a map with the channels and the quantization of a mode."""
    return replace(
        feature,
        channels=feature.channels_in(mode),
        mode_channels=(),
        quantization=(feature.quantization[mode],),
    )


def layer_in(layer: Layer, network: QuantizedNetwork, mode: int) -> Layer:
    """Return a layer with the output and the requantization of a mode."""
    changed: dict[str, Any] = {"output": map_in(layer.output, mode)}
    if isinstance(layer, Requantized):
        changed["requantization"] = (layer.requantization[mode],)
    if isinstance(layer, Add):
        changed["operand_shifts"] = layer.operand_shifts[mode : mode + 1]
    if isinstance(layer, Conv) and layer.groups == network.map_of(layer.inputs[0]).channels:
        changed["groups"] = network.map_of(layer.inputs[0]).channels_in(mode)
    return replace(layer, **changed)


def weights_in(
    layer: Conv | Linear, given: Parameters, network: QuantizedNetwork, mode: int
) -> Parameters:
    """Return the integers of a layer in a mode."""
    source, outputs = network.map_of(layer.inputs[0]), layer.output.channels_in(mode)
    active: NDArray[Any] = layer.active(given.weights, source, mode)
    if isinstance(layer, Conv):
        active = active.reshape(outputs, *layer.kernel, -1)
    scaled = 0 if layer.output.raw else outputs
    return Parameters(
        weights=np.ascontiguousarray(active),
        bias=given.bias[mode : mode + 1, :outputs],
        multiplier=given.multiplier[mode : mode + 1, :scaled],
        shift=given.shift[mode : mode + 1, :scaled],
        weight_scale=given.weight_scale[:outputs],
    )
