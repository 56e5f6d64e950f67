"""Networks without weights: what synthesis sees of an ONNX file, or of a network that ships.

Tests: `tests/zoo/test_zoo.py`.
"""

from hwgen.crossbar.facts.layout import tiles_of
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.pages.graph import GraphInfo, GraphLayer, graph_parts
from hwgen.crossbar.pages.networks import load_network, network_names, write_network
from hwgen.crossbar.pages.placement import placement_parts

__all__ = [
    "graph_info",
    "graph_operators",
    "graph_parts",
    "network_names",
    "placement_parts",
    "write_network",
]

SIDE, CELL_BITS, WEIGHT_BITS = 256, 2, 16
"""Crossbars and weights that are counted with: those of the published designs."""


def graph_info(network: str, size: tuple[int, ...] | None = None) -> GraphInfo:
    """Return the layers of a network; size: of its image, where the file leaves sides open."""
    graph: CrossbarNetwork = load_network(network, size)
    layers = [layer_info(graph, layer) for layer in graph.layers]
    return GraphInfo(
        name=graph.name,
        digest=graph.digest,
        input_shape=(*graph.input_sides, graph.input_channels),
        weights=sum(layer.weights for layer in layers),
        operations=graph.operations,
        crossbars=sum(layer.crossbars for layer in layers),
        side=SIDE,
        cell_bits=CELL_BITS,
        weight_bits=WEIGHT_BITS,
        layers=layers,
    )


def layer_info(network: CrossbarNetwork, layer: CrossbarLayer) -> GraphLayer:
    """Return the facts of one layer."""
    _, row_tiles, column_tiles = tiles_of(layer, SIDE, STRICT)
    weights = layer.taps * layer.in_channels // layer.groups * layer.out_channels
    return GraphLayer(
        name=layer.name,
        kind=layer.kind,
        reads=[network.layers[place].name for place in layer.providers] or ["image"],
        shape=(*layer.out_sides, layer.out_channels),
        kernel=layer.kernels,
        stride=layer.strides,
        dilation=layer.dilation,
        activation=layer.activation,
        weights=weights if layer.has_weights else 0,
        operations=layer.operations,
        crossbars=row_tiles * column_tiles * WEIGHT_BITS // CELL_BITS,
    )


def graph_operators() -> dict[str, str]:
    """Return what each operator of ONNX becomes, by its name."""
    from hwgen.crossbar.compiler.walk import MEANINGS
    from hwgen.importers.onnx.operators import OPERATORS

    return {
        name: next(text for text, ops in MEANINGS.items() if op in ops)
        for name, op in OPERATORS.items()
    }
