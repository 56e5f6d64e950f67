"""Sequences of tokens as maps with rows and columns: their shape in the buffers is the chip's.

A map of width 1 lies in one bank of a core, and one of height 1 gives all its work to few cores.
Where every layer reads a token by its number alone, row after row, any height and width with as
many tokens mean the same. The file, the memory and golden keep the shape of the network.

A product of two maps reads the tokens of its second map in whole words. Tokens that a `stack` makes
get as many positions: those behind the last token repeat it, and layer by layer they stay equal to
it. As keys they are channels of the scores, which the softmax does not count and writes as zero.
Other tokens are copied in front of a product, with zeros behind the last one (`lower_product`).

Tests: `tests/dbpim/compiler/test_folding.py`.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen import network as net
from hwgen.dbpim.compiler.word_groups import groupings, groups_of, with_groups_whole
from hwgen.dbpim.facts.program import Fold
from hwgen.network.maps import FeatureMap

Sides = tuple[int, int]
"""Height and width."""
ONE_PIXEL = 1, 1
"""Sides of a map of one pixel, and of a window of one."""
TOKEN_BY_TOKEN = (
    net.Append,
    net.Concatenate,
    net.Constant,
    net.LayerNorm,
    net.Linear,
    net.MatMul,
    net.Rescale,
    net.Rows,
    net.Softmax,
    net.Stack,
    net.State,
    net.Table,
)
"""Layers that read tokens by their numbers, whatever they are."""


def folded(network: net.QuantizedNetwork, word: int) -> net.QuantizedNetwork:
    """Return a network whose sequences have the rows and columns that a chip likes.

    word: channels of a word; the network itself where it has no sequence that may be folded
    """
    maps = network.graph.maps
    shapes = {sides: chosen_sides(sides) for sides in free_sequences(network, maps)}
    padded = padded_sides(network, maps, shapes, word)
    found = groupings(network, word, padded)
    if found is None:
        padded, found = {}, groupings(network, word)
    shapes |= padded
    if not found and all(before == after for before, after in shapes.items()):
        return network
    network = with_groups_whole(network, found or {})
    graph = replace(
        network.graph,
        input=folded_map(network.graph.input, shapes),
        layers=[folded_layer(layer, maps, shapes) for layer in network.layers],
    )
    held, parameters = dict(network.held), dict(network.parameters)
    for layer in graph.layers:
        if isinstance(layer, net.Constant | net.State):
            fold = fold_of(maps[layer.name], layer.output)
            values = fold.stored_tokens(network.arrays_of(layer.name)["map"][np.newaxis])[0]
            held[layer.name] = {**held[layer.name], "map": values}
        if isinstance(layer, net.Linear) and sides_of(maps[layer.inputs[0]]) in padded:
            given, inputs = parameters[layer.name], math.prod(graph.maps[layer.inputs[0]].shape)
            more = inputs - given.weights.shape[1]
            weights = np.pad(given.weights, ((0, 0), (0, max(0, more))))
            parameters[layer.name] = replace(given, weights=weights)
    return replace(network, graph=graph, held=held, parameters=parameters)


def folds(network: net.QuantizedNetwork, chosen: net.QuantizedNetwork) -> dict[str, Fold]:
    """Return the two shapes of each map whose shape is not that of the network."""
    maps, found = network.graph.maps, chosen.graph.maps
    groups = groups_of(network)
    return {
        name: fold_of(maps[name], found[name], groups.get(name, 1))
        for name in found
        if found[name].shape != maps[name].shape
    }


def fold_of(before: FeatureMap, after: FeatureMap, groups: int = 1) -> Fold:
    """Return the two shapes of a map; groups: of channels, if these have other numbers."""
    grown = before.channels != after.channels
    return Fold(
        sides=sides_of(before),
        stored=sides_of(after),
        groups=groups if grown else 1,
        kept=before.channels // groups if grown else 0,
        channels=after.channels // groups if grown else 0,
        fill=before.quantization[0].zero_point if grown else 0,
    )


def sides_of(found: FeatureMap) -> Sides:
    """Return height and width."""
    return found.height, found.width


def is_sequence(found: FeatureMap) -> bool:
    """Return whether a map is one row or one column of tokens."""
    return min(sides_of(found)) == 1 < max(sides_of(found))


def free_sequences(network: net.QuantizedNetwork, maps: Mapping[str, FeatureMap]) -> set[Sides]:
    """Return the sides of sequences that every layer beside them reads token by token."""
    free = {sides_of(layer.output) for layer in network.layers if is_sequence(layer.output)}
    for layer in network.layers:
        if not keeps_tokens(layer, maps):
            free -= {sides_of(maps[name]) for name in (*layer.inputs, layer.name)}
    return free


def keeps_tokens(layer: Any, maps: Mapping[str, FeatureMap]) -> bool:
    """Return whether a layer's output is the same, token by token, in any shape of its maps."""
    sources = [maps[name] for name in layer.inputs]
    sides = {sides_of(each) for each in (*sources, layer.output)}
    if sides == {ONE_PIXEL} or isinstance(layer, TOKEN_BY_TOKEN):
        return True
    if isinstance(layer, net.Shortcut):
        return sides_of(layer.output) == ONE_PIXEL
    if isinstance(layer, net.Conv | net.AveragePool | net.MaxPool):
        if any(layer.padding):
            return False
        point = layer.kernel == ONE_PIXEL and layer.stride == ONE_PIXEL
        return point or (not isinstance(layer, net.Conv) and layer.kernel == sides_of(sources[0]))
    return (
        isinstance(layer, net.Add | net.Multiply | net.SquaredDifference)
        and len(sides - {ONE_PIXEL}) == 1
    )


def chosen_sides(sides: Sides) -> Sides:
    """Return the rows and columns of a sequence, as near to a square as they come, not wide.

    Any other shape stays; so do tokens whose number is prime.
    """
    tokens = sides[0] * sides[1]
    if min(sides) > 1:
        return sides
    width = max(each for each in range(1, math.isqrt(tokens) + 1) if tokens % each == 0)
    return (tokens // width, width) if width > 1 else sides


def padded_sides(
    network: net.QuantizedNetwork,
    maps: Mapping[str, FeatureMap],
    free: Mapping[Sides, Sides],
    word: int,
) -> dict[Sides, Sides]:
    """Return rows and columns of whole words for sequences whose products need them.

    Those whose tokens a stack makes, or layers that read such tokens one by one.
    """
    wanted = {
        sides_of(maps[layer.inputs[1]]) for layer in network.layers if isinstance(layer, net.MatMul)
    }
    wanted = {sides for sides in wanted & set(free) if sides[0] * sides[1] % word}
    wanted -= {sides_of(maps[name]) for name in (net.INPUT, *network.graph.outputs)}
    for layer in network.layers:
        sources = [sides_of(maps[name]) for name in layer.inputs]
        if isinstance(layer, net.AveragePool | net.MaxPool | net.Stack):
            wanted -= set(sources)
        own = sides_of(layer.output)
        if own in wanted and not isinstance(layer, net.Stack | net.Constant) and own not in sources:
            wanted.discard(own)
    return {sides: chosen_sides((-(-sides[0] * sides[1] // word) * word, 1)) for sides in wanted}


def folded_map(found: FeatureMap, shapes: Mapping[Sides, Sides]) -> FeatureMap:
    """Return a map in its new shape."""
    height, width = shapes.get(sides_of(found), sides_of(found))
    return replace(found, height=height, width=width)


def folded_layer(layer: Any, maps: Mapping[str, FeatureMap], shapes: Mapping[Sides, Sides]) -> Any:
    """Return a layer with its map in the new shape; a window over a whole map stays one.

    A shortcut reads the first token alone.
    """
    changes: dict[str, Any] = {"output": folded_map(layer.output, shapes)}
    if isinstance(layer, net.AveragePool | net.MaxPool) and layer.kernel != ONE_PIXEL:
        source = sides_of(maps[layer.inputs[0]])
        if source in shapes:
            changes["kernel"] = changes["stride"] = shapes[source]
    if isinstance(layer, net.Shortcut):
        changes["stride"] = shapes.get(sides_of(maps[layer.inputs[0]]), layer.stride)
    return replace(layer, **changes)
