"""Groups of channels that do not fill words: heads of 8 channels, scores of any number of tokens.

A product of two maps reads whole words of each group. A group gets as many channels more as fill
its last word, in every map that shares its channels: what makes them has filters of zeros, what
reads them weights of zeros. Such a channel holds the zero point. Scores of tokens that are not
there hold any byte: a softmax does not count them, and the values that they meet are zero.

Tests: `tests/dbpim/compiler/test_word_groups.py`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen import network as net
from hwgen.network.weights import Parameters

ELEMENTWISE = (net.Add, net.Multiply, net.Rescale, net.Softmax, net.SquaredDifference, net.Table)
"""Layers whose maps all have the same channels, and that write the zero point for zero points."""
MATRICES = (net.Conv, net.Linear)


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """Groups of channels of a map: of `stored` channels each the first `kept` ones count.

    tokens: whether these are tokens of another map, whose further channels hold any byte
    """

    groups: int
    kept: int
    stored: int
    tokens: bool

    @property
    def channels(self) -> int:
        """Channels of the map."""
        return self.groups * self.stored

    def spread(self, values: NDArray[Any], fill: int, axis: int) -> NDArray[Any]:
        """Return an array with the channels that fill words up along an axis; fill: their value."""
        sides = list(values.shape)
        sides[axis : axis + 1] = [self.groups, self.kept]
        wide = np.pad(
            values.reshape(sides),
            [
                (0, self.stored - self.kept if place == axis + 1 else 0)
                for place in range(len(sides))
            ],
            constant_values=fill,
        )
        sides[axis : axis + 2] = [self.channels]
        return wide.reshape(sides)


def whole_words(count: int, word: int) -> int:
    """Return the channels of whole words."""
    return -(-count // word) * word


def groupings(
    network: net.QuantizedNetwork, word: int, repeated: Iterable[tuple[int, int]] = ()
) -> dict[str, Grouping] | None:
    """Return the groups of each map whose channels do not fill words.

    repeated: sides of maps whose positions behind the last token repeat it, so that as values they
        are no zeros. None where what they meet is not a softmax's. Maps that cannot have further
        channels are left out: the layers that need them are refused.
    """
    maps, sides = network.graph.maps, frozenset(repeated)
    roots = joined(network)
    found: dict[str, Grouping | None] = {}
    for layer in network.layers:
        if isinstance(layer, net.MatMul):
            for name, grouping in wanted(layer, maps, word):
                root = roots[name]
                found[root] = grouping if found.get(root, grouping) == grouping else None
    grown = {root: each for root, each in found.items() if each and each.stored > each.kept}
    for root in list(grown):
        members = [name for name in maps if roots[name] == root]
        if any(not holds(network, name, grown[root]) for name in members):
            del grown[root]
    while without_others(network, word, roots, grown):
        pass
    made = {name: grown[root] for name, root in roots.items() if root in grown}
    for layer in network.layers:
        if isinstance(layer, net.MatMul) and maps[layer.inputs[1]].shape[:2] in sides:
            keyed = layer.name if layer.transposed else layer.inputs[0]
            if keyed not in made or not (layer.transposed or writes_zero(layer_of(network, keyed))):
                return None
    return made


def without_others(
    network: net.QuantizedNetwork, word: int, roots: Mapping[str, str], grown: dict[str, Grouping]
) -> bool:
    """Leave out what a product would read beside a map that stays as it is; return whether any."""
    for layer in network.layers:
        if not isinstance(layer, net.MatMul):
            continue
        needed = [
            (roots[name], each)
            for name, each in wanted(layer, network.graph.maps, word)
            if each.stored > each.kept
        ]
        lacking = {each for root, each in needed if root not in grown}
        gone = {root for root, each in needed if each in lacking and root in grown}
        for root in gone:
            del grown[root]
        if gone:
            return True
    return False


def joined(network: net.QuantizedNetwork) -> dict[str, str]:
    """Return for each map one that has the same channels as all that it is computed with."""
    roots = {name: name for name in network.graph.maps}

    def root_of(name: str) -> str:
        while roots[name] != name:
            name = roots[name]
        return name

    for layer in network.layers:
        if isinstance(layer, ELEMENTWISE):
            for name in layer.inputs:
                roots[root_of(name)] = root_of(layer.name)
    return {name: root_of(name) for name in roots}


def groups_of(network: net.QuantizedNetwork) -> dict[str, int]:
    """Return the groups of channels that products see in each map of theirs."""
    roots, counts = joined(network), dict[str, int]()
    for layer in network.layers:
        if isinstance(layer, net.MatMul):
            counts |= {roots[name]: layer.groups for name in (*layer.inputs, layer.name)}
    return {name: counts[root] for name, root in roots.items() if root in counts}


def wanted(
    layer: net.MatMul, maps: Mapping[str, net.FeatureMap], word: int
) -> Iterator[tuple[str, Grouping]]:
    """Yield the groups that the maps of a product have, those of whole words too."""
    a, b = layer.inputs
    second, groups = maps[b], layer.groups
    channels, pixels = second.channels // groups, second.height * second.width
    inside, tokens = (
        Grouping(groups=groups, kept=count, stored=whole_words(count, word), tokens=of_tokens)
        for count, of_tokens in ((channels, False), (pixels, True))
    )
    yield b, inside
    if layer.transposed:
        yield from ((a, inside), (layer.name, tokens))
    else:
        yield from ((a, tokens), (layer.name, inside))


def holds(network: net.QuantizedNetwork, name: str, grouping: Grouping) -> bool:
    """Return whether a map may have further channels: its writer and readers know of them."""
    if name == net.INPUT or name in network.graph.outputs:
        return False
    output = network.map_of(name)
    if output.raw or output.mode_channels or output.channels != grouping.groups * grouping.kept:
        return False
    return writes(network, layer_of(network, name), grouping) and all(
        reads(each, grouping) for each in network.layers if name in each.inputs
    )


def writes(network: net.QuantizedNetwork, layer: net.Layer | None, grouping: Grouping) -> bool:
    """Return whether a layer can write further channels, and zeros where these must be zeros."""
    if not isinstance(layer, (*ELEMENTWISE, *MATRICES, net.MatMul, net.Constant)):
        return False
    if isinstance(layer, net.Conv) and layer.groups > 1:
        return False
    if isinstance(layer, net.Softmax) and layer.groups != grouping.groups:
        return False
    return grouping.tokens or keeps_zero(network, layer)


def reads(layer: net.Layer, grouping: Grouping) -> bool:
    """Return whether a layer reads a map with further channels as without them."""
    if isinstance(layer, net.Conv | net.Linear):
        return not grouping.tokens and getattr(layer, "groups", 1) == 1
    return isinstance(layer, (*ELEMENTWISE, net.MatMul))


def keeps_zero(network: net.QuantizedNetwork, layer: net.Layer) -> bool:
    """Return whether a layer writes its zero point where its inputs have theirs."""
    values = layer.output.quantization[0]
    if isinstance(layer, net.Softmax):
        return writes_zero(layer)
    if isinstance(layer, net.Table):
        zero = network.map_of(layer.inputs[0]).quantization[0].zero_point
        return bool(network.arrays_of(layer.name)["table"][0, zero] == values.zero_point)
    return values.low <= values.zero_point <= values.high


def writes_zero(layer: net.Layer | None) -> bool:
    """Return whether a layer is a softmax whose zero point is 0, as it writes for what is left."""
    values = None if layer is None else layer.output.quantization[0]
    return (
        isinstance(layer, net.Softmax)
        and values is not None
        and values.zero_point == values.low == 0
    )


def layer_of(network: net.QuantizedNetwork, name: str) -> net.Layer | None:
    """Return the layer that writes a map."""
    return next((layer for layer in network.layers if layer.name == name), None)


def with_groups_whole(
    network: net.QuantizedNetwork, found: Mapping[str, Grouping]
) -> net.QuantizedNetwork:
    """Return a network whose maps have the further channels of their groups."""
    layers, held = [], dict(network.held)
    parameters = dict(network.parameters)
    for layer in network.layers:
        own = found.get(layer.name)
        if own is not None:
            layers.append(replace(layer, output=replace(layer.output, channels=own.channels)))
        else:
            layers.append(layer)
        if isinstance(layer, net.Constant) and own is not None:
            zero = layer.output.quantization[0].zero_point
            values = own.spread(held[layer.name]["map"], zero, 2)
            held[layer.name] = {**held[layer.name], "map": values}
        if isinstance(layer, MATRICES):
            source = found.get(layer.inputs[0])
            pixels = math.prod(network.map_of(layer.inputs[0]).shape[:2])
            parameters[layer.name] = spread_parameters(
                parameters[layer.name], own, source, 1 if isinstance(layer, net.Conv) else pixels
            )
    graph = replace(network.graph, layers=layers)
    return replace(network, graph=graph, held=held, parameters=parameters)


def spread_parameters(
    given: Parameters, output: Grouping | None, source: Grouping | None, pixels: int
) -> Parameters:
    """Return weights with zeros for further channels; pixels: that a filter names one by one."""
    weights = given.weights
    if source is not None:
        apart = weights.reshape(*weights.shape[:-1], pixels, -1)
        wide = source.spread(apart, 0, apart.ndim - 1)
        weights = wide.reshape(*weights.shape[:-1], -1)
    if output is None:
        return replace(given, weights=weights)
    # A filter of zeros has the factor of another, which is one that the chip can hold.
    first = {key: int(getattr(given, key).flat[0]) for key in ("multiplier", "shift")}
    return Parameters(
        weights=output.spread(weights, 0, 0),
        bias=output.spread(given.bias, 0, 1),
        multiplier=output.spread(given.multiplier, first["multiplier"], 1),
        shift=output.spread(given.shift, first["shift"], 1),
        weight_scale=output.spread(given.weight_scale, 1, 0),
    )
