"""Sequences of tokens as maps with rows and columns: their shape in the buffers is the chip's.

A map of width 1 lies in one bank of a core, and one of height 1 gives all its work to few cores.
Where every layer reads a token by its number alone, row after row, any height and width with as
many tokens mean the same. The file, the memory and golden keep the shape of the network.

Tests: `tests/dbpim/compiler/test_folding.py`.
"""

import math
from dataclasses import replace
from typing import Any

from hwgen.dbpim.facts.program import Fold
from hwgen.network import (
    Add,
    AveragePool,
    Concatenate,
    Constant,
    Conv,
    LayerNorm,
    Linear,
    MatMul,
    MaxPool,
    Multiply,
    QuantizedNetwork,
    Rescale,
    Softmax,
    Table,
)
from hwgen.network.maps import FeatureMap

Sides = tuple[int, int]
"""Height and width."""
ONE_PIXEL = 1, 1
"""Sides of a map of one pixel, and of a window of one."""
TOKEN_BY_TOKEN = (Concatenate, Constant, LayerNorm, Linear, MatMul, Rescale, Softmax, Table)
"""Layers that read tokens by their numbers, whatever they are."""


def folded(network: QuantizedNetwork) -> QuantizedNetwork:
    """Return a network whose sequences have the rows and columns that a chip likes.

    The network itself where it has no sequence, or a layer that reads neighbours.
    """
    maps = network.graph.maps
    sequences = {sides_of(layer.output) for layer in network.layers if is_sequence(layer.output)}
    if not sequences or not all(keeps_tokens(layer, maps) for layer in network.layers):
        return network
    shapes = {sides: chosen_sides(sides) for sides in map(sides_of, maps.values())}
    graph = replace(
        network.graph,
        input=folded_map(network.graph.input, shapes),
        layers=[folded_layer(layer, maps, shapes) for layer in network.layers],
    )
    held = dict(network.held)
    for layer in graph.layers:
        if isinstance(layer, Constant):
            values = network.arrays_of(layer.name)["map"]
            held[layer.name] = {**held[layer.name], "map": values.reshape(layer.output.shape)}
    return replace(network, graph=graph, held=held)


def folds(network: QuantizedNetwork, chosen: QuantizedNetwork) -> dict[str, Fold]:
    """Return the two shapes of each map whose shape is not that of the network."""
    maps = network.graph.maps
    return {
        name: Fold(sides=sides_of(maps[name]), stored=sides_of(found))
        for name, found in chosen.graph.maps.items()
        if sides_of(found) != sides_of(maps[name])
    }


def sides_of(found: FeatureMap) -> Sides:
    """Return height and width."""
    return found.height, found.width


def is_sequence(found: FeatureMap) -> bool:
    """Return whether a map is one row or one column of tokens."""
    return min(sides_of(found)) == 1 < max(sides_of(found))


def keeps_tokens(layer: Any, maps: dict[str, FeatureMap]) -> bool:
    """Return whether a layer's output is the same, token by token, in any shape of its maps."""
    sources = [maps[name] for name in layer.inputs]
    sides = {sides_of(each) for each in (*sources, layer.output)}
    if sides == {ONE_PIXEL} or isinstance(layer, TOKEN_BY_TOKEN):
        return True
    if isinstance(layer, Conv | AveragePool | MaxPool):
        if any(layer.padding):
            return False
        point = layer.kernel == ONE_PIXEL and layer.stride == ONE_PIXEL
        return point or (not isinstance(layer, Conv) and layer.kernel == sides_of(sources[0]))
    return isinstance(layer, Add | Multiply) and len(sides - {ONE_PIXEL}) == 1


def chosen_sides(sides: Sides) -> Sides:
    """Return the rows and columns of a sequence, as near to a square as they come, not wide.

    Any other shape stays; so do tokens whose number is prime.
    """
    tokens = sides[0] * sides[1]
    if min(sides) > 1:
        return sides
    width = max(each for each in range(1, math.isqrt(tokens) + 1) if tokens % each == 0)
    return (tokens // width, width) if width > 1 else sides


def folded_map(found: FeatureMap, shapes: dict[Sides, Sides]) -> FeatureMap:
    """Return a map in its new shape."""
    height, width = shapes[sides_of(found)]
    return replace(found, height=height, width=width)


def folded_layer(layer: Any, maps: dict[str, FeatureMap], shapes: dict[Sides, Sides]) -> Any:
    """Return a layer with its map in the new shape; a window over a whole map stays one."""
    changes: dict[str, Any] = {"output": folded_map(layer.output, shapes)}
    if isinstance(layer, AveragePool | MaxPool) and layer.kernel != ONE_PIXEL:
        changes["kernel"] = changes["stride"] = shapes[sides_of(maps[layer.inputs[0]])]
    return replace(layer, **changes)
