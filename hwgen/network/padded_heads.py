"""Heads of any number of channels, padded by zeros to whole words of a chip.

Queries, keys and values get zeros behind each head, which no sum has anything of, and what is mixed
of values loses them. Filters of zeros, and weights of zeros, do it in the layers beside, where
these are convolutions.

Tests: `tests/network/test_padded_heads.py`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.network.conv import Conv
from hwgen.network.graph import Layer, QuantizedNetwork
from hwgen.network.maps import FeatureMap
from hwgen.network.matmul import MatMul
from hwgen.network.selections import ZERO, selection
from hwgen.network.weights import Parameters


def with_heads_padded(network: QuantizedNetwork, multiple: int) -> QuantizedNetwork:
    """Return a network whose heads have a multiple of some channels; every other integer stays."""
    layers: list[Layer] = []
    parameters, maps, padded = dict(network.parameters), network.graph.maps, list[str]()

    def take(name: str, source: str, output: FeatureMap, places: Sequence[int]) -> None:
        layer, parameters[name] = selection(name, source, maps[source], output, places)
        layers.append(layer)

    for layer in network.layers:
        side = maps[layer.inputs[-1]].channels // layer.groups if isinstance(layer, MatMul) else 0
        if not isinstance(layer, MatMul) or side % multiple == 0:
            layers.append(layer)
            continue
        wide = -(-side // multiple) * multiple
        places = [
            head * side + place if place < side else ZERO
            for head in range(layer.groups)
            for place in range(wide)
        ]
        read = list(layer.inputs)
        for number in range(0 if layer.transposed else 1, 2):
            source, name = read[number], f"{read[number]}.{layer.groups}.heads"
            if name not in padded:
                take(name, source, with_channels(maps[source], len(places)), places)
                padded.append(name)
            read[number] = name
        if layer.transposed:
            layers.append(replace(layer, inputs=tuple(read)))
            continue
        product = f"{layer.name}.heads"
        maps[product] = output = with_channels(layer.output, len(places))
        layers.append(replace(layer, name=product, inputs=tuple(read), output=output, source=""))
        back = [place for place, taken in enumerate(places) if taken != ZERO]
        take(layer.name, product, layer.output, back)
        layers[-1] = replace(layers[-1], source=layer.source)
    made = replace(network, graph=replace(network.graph, layers=layers), parameters=parameters)
    for name in padded:
        made = with_filters_beside(made, name)
    for layer in network.layers:
        if isinstance(layer, MatMul) and layer.name in made.parameters:
            made = with_weights_between(made, layer.name)
    return made


def with_channels(feature: FeatureMap, channels: int) -> FeatureMap:
    """Return a map of another number of channels."""
    return replace(feature, channels=channels)


def with_filters_beside(network: QuantizedNetwork, name: str) -> QuantizedNetwork:
    """Return the network whose selection is filters of the convolution that it alone reads."""
    layers = {each.name: each for each in network.layers}
    chosen, conv = layers[name], layers.get(layers[name].inputs[0])
    if not isinstance(conv, Conv) or conv.groups > 1 or is_shown(network, conv.name):
        return network
    places, given = places_of(network.parameters[name]), network.parameters[conv.name]
    none, where = places == ZERO, np.maximum(places, 0)
    joined = Parameters(
        weights=np.where(none[:, np.newaxis, np.newaxis, np.newaxis], 0, given.weights[where]),
        bias=np.where(none, 0, given.bias[:, where]),
        multiplier=given.multiplier[:, where],
        shift=given.shift[:, where],
        weight_scale=given.weight_scale[where],
    )
    wide = replace(conv, name=name, output=chosen.output, source="")
    return joined_to(network, gone=conv.name, layer=wide, parameters=joined)


def with_weights_between(network: QuantizedNetwork, name: str) -> QuantizedNetwork:
    """Return the network whose selection is in the weights of the convolution that reads it."""
    (chosen,) = (each for each in network.layers if each.name == name)
    conv = next((each for each in network.layers if name in each.inputs), None)
    if not isinstance(conv, Conv) or conv.groups > 1 or is_shown(network, name):
        return network
    given = network.parameters[conv.name]
    places, channels = (
        places_of(network.parameters[name]),
        network.map_of(chosen.inputs[0]).channels,
    )
    weights = np.zeros((*given.weights.shape[:3], channels), given.weights.dtype)
    weights[..., places] = given.weights
    wide, joined = replace(conv, inputs=chosen.inputs), replace(given, weights=weights)
    return joined_to(network, gone=name, layer=wide, parameters=joined)


def is_shown(network: QuantizedNetwork, name: str) -> bool:
    """Return whether a map is an output, or several layers read it."""
    readers = sum(name in each.inputs for each in network.layers)
    return name in network.graph.outputs or readers > 1


def places_of(selected: Parameters) -> NDArray[np.intp]:
    """Return the places of a selection."""
    flat = selected.weights.reshape(len(selected.weights), -1)
    return np.where(flat.any(axis=1), flat.argmax(axis=1), ZERO)


def joined_to(
    network: QuantizedNetwork, *, gone: str, layer: Layer, parameters: Parameters
) -> QuantizedNetwork:
    """Return a network without one layer, whose work another of its name does."""
    layers = [
        layer if each.name == layer.name else each for each in network.layers if each.name != gone
    ]
    kept = {name: each for name, each in network.parameters.items() if name != gone}
    return replace(
        network,
        graph=replace(network.graph, layers=layers),
        parameters={**kept, layer.name: parameters},
    )
