"""Constants of all tokens as channels of the image: learned places, the tables of a rotation.

The host knows the position of a token, and its image has, behind the row of the token, what the
constants have at that position. A selection takes each of them, and the row, out again; all
integers stay.

Tests: `tests/network/test_given_places.py`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network.append import pixels_of
from hwgen.network.constant import Constant
from hwgen.network.graph import INPUT, Layer, QuantizedNetwork
from hwgen.network.maps import FeatureMap
from hwgen.network.matmul import MatMul
from hwgen.network.selections import selection
from hwgen.network.tokens import PLACED, PLACES, TokenRows

ROW = "input.row"
"""The layer that takes the row of a token out of the image."""


def constant_keys(network: QuantizedNetwork) -> set[str]:
    """Return the constants that products alone read, as their second map: the same for all."""
    constants = {each.name for each in network.layers if isinstance(each, Constant)}
    otherwise = {
        name
        for layer in network.layers
        for place, name in enumerate(layer.inputs)
        if place == 0 or not isinstance(layer, MatMul)
    }
    return constants - otherwise - set(network.graph.outputs)


def with_constants_given(network: QuantizedNetwork) -> QuantizedNetwork:
    """Return a network of ids whose constants of all tokens are channels of its image.

    Equal columns of constants, such as those of several heads, are one channel. Without ids or such
    constants the network stays as it is.
    """
    image, given, keys = network.graph.input, network.token_rows, constant_keys(network)
    constants = [
        each
        for each in network.layers
        if isinstance(each, Constant)
        and each.name not in keys
        and pixels_of(each.output) == pixels_of(image)
    ]
    if not constants or given is None:
        return network
    width = image.channels
    found = dict[bytes, int]()
    columns = dict[str, list[int]]()
    for each in constants:
        values = network.held[each.name]["map"].reshape(pixels_of(image), -1)
        columns[each.name] = [
            found.setdefault(column.tobytes(), width + len(found)) for column in values.T
        ]
    tables = np.array([np.frombuffer(each, np.uint8) for each in found]).T
    bytes_of_all = replace(image.quantization[0], low=0, high=255)
    wide = replace(image, channels=width + len(found), quantization=(bytes_of_all,))
    taken = {each.name: each for each in constants}
    parameters = dict(network.parameters)
    layers: list[Layer] = []

    def take(name: str, output: FeatureMap, places: Sequence[int]) -> None:
        layer, parameters[name] = selection(name, INPUT, wide, output, places)
        layers.append(layer)

    take(ROW, image, range(width))
    for layer in network.layers:
        if layer.name in taken:
            take(layer.name, layer.output, columns[layer.name])
        else:
            read = tuple(ROW if name == INPUT else name for name in layer.inputs)
            layers.append(replace(layer, inputs=read))
    return replace(
        network,
        graph=replace(network.graph, input=wide, layers=layers, preprocessing=PLACED),
        parameters=parameters,
        held={name: held for name, held in network.held.items() if name not in taken},
        token_rows=with_tables(given, tables, bytes_of_all.zero_point),
    )


def with_tables(given: TokenRows, tables: NDArray[np.uint8], zero_point: int) -> TokenRows:
    """Return rows with further channels, (positions, channels), that the position decides."""

    def steps(integers: NDArray[Any]) -> NDArray[np.int32]:
        return (integers.astype(np.int32) - zero_point) << PLACES

    rows = steps(given.rows) if given.places is None else given.rows.astype(np.int32)
    places = np.zeros_like(rows[:1]) if given.places is None else given.places
    places = np.broadcast_to(places, (len(tables), rows.shape[1]))
    return TokenRows(
        name=given.name,
        rows=np.pad(rows, ((0, 0), (0, tables.shape[1]))),
        places=np.concatenate([places.astype(np.int32), steps(tables)], axis=1),
    )
