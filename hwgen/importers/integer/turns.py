"""Pixels as channels and channels as pixels: a product of a constant map by a map.

No chip moves elements so. But a row of a map of ones and zeros times all pixels of a map is one
channel of each of these, exactly: 1 * (x - z), which the output has as x again.

Tests: `tests/importers/integer/test_turns.py`.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.importers.integer.blocks import numbered
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap, Shape, quantized_map
from hwgen.importers.integer.nodes import ConstantMap, MatrixProduct, Node, Transposition, View

MOST_CHANNELS = 256
"""Of a map that is turned so: the map of ones has its square of elements."""
BYTE_BITS = 8


def with_turns_multiplied(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph with a product for each exchange of pixels and channels."""
    nodes: list[Node] = []
    maps = dict(graph.maps)
    for node in graph.nodes:
        source, output = maps.get(node.inputs[0] if node.inputs else ""), maps.get(node.output)
        if (
            not isinstance(node, Transposition)
            or source is None
            or output is None
            or not is_exchange(source.shape, node.order)
            or max(source.bits, output.bits) > BYTE_BITS
            or source.same_numbers != output.same_numbers
            or source.shape[2] > MOST_CHANNELS
        ):
            nodes.append(node)
            continue
        nodes += product_of(node, source, output, maps)
    return replace(graph, nodes=tuple(nodes), maps=maps)


def is_exchange(shape: Shape, order: tuple[int, ...]) -> bool:
    """Return whether an order of axes gives all pixels of the first channel, then of the next."""
    places = numbered(shape)
    wanted = places.reshape(-1, shape[2]).T
    return np.array_equal(places.transpose(order).reshape(-1), wanted.reshape(-1))


def product_of(
    node: Transposition, source: QuantizedMap, output: QuantizedMap, maps: dict[str, QuantizedMap]
) -> list[Node]:
    """Return the nodes of an exchange, and enter their maps."""
    height, width, channels = source.shape
    ones, product = f"{node.output}/ones", f"{node.output}/product"
    shape = (channels, 1, channels)
    maps[ones] = quantized_map(shape, signed=False, scale=1.0, zero_point=0)
    maps[product] = output.reshaped((channels, 1, height * width))
    base: dict[str, Any] = {"name": node.name, "operator": node.operator}
    return [
        ConstantMap(
            **base, inputs=(), output=ones, integers=np.eye(channels, dtype=np.uint8).reshape(shape)
        ),
        MatrixProduct(
            **base, inputs=(ones, node.inputs[0]), output=product, groups=1, transposed=True
        ),
        View(**base, inputs=(product,), output=node.output),
    ]
