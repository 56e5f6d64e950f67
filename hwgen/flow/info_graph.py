"""`hwgen info` of an ONNX file, or of a network that ships: what synthesis sees of it."""

from pathlib import Path

from hwgen.flow.crossbar.networks import load_network
from hwgen.report.info import GraphInfo, GraphLayer
from hwgen.spec.crossbar.layout import tiles_of
from hwgen.spec.crossbar.network import CrossbarLayer, CrossbarNetwork

SUFFIX = ".onnx"

SIDE, CELL_BITS, WEIGHT_BITS = 256, 2, 16
"""Crossbars and weights that are counted with: those of the published designs."""


def is_graph(file: Path) -> bool:
    """Return whether a name is that of an ONNX file, or of a network that ships."""
    if file.suffix == SUFFIX:
        return True
    return not file.suffix and not file.exists() and file.name == str(file)


def graph_info(file: Path) -> GraphInfo:
    """Return the layers of a network."""
    network: CrossbarNetwork = load_network(str(file))
    layers = [layer_info(network, layer) for layer in network.layers]
    return GraphInfo(
        name=network.name,
        digest=network.digest,
        input_shape=(network.input_side, network.input_side, network.input_channels),
        weights=sum(layer.weights for layer in layers),
        operations=network.operations,
        crossbars=sum(layer.crossbars for layer in layers),
        side=SIDE,
        cell_bits=CELL_BITS,
        weight_bits=WEIGHT_BITS,
        layers=layers,
    )


def layer_info(network: CrossbarNetwork, layer: CrossbarLayer) -> GraphLayer:
    """Return the facts of one layer."""
    _, row_tiles, column_tiles = tiles_of(layer, SIDE, "strict")
    weights = layer.kernel**2 * layer.in_channels // layer.groups * layer.out_channels
    return GraphLayer(
        name=layer.name,
        kind=layer.kind,
        reads=[network.layers[place].name for place in layer.providers] or ["image"],
        shape=(layer.out_side, layer.out_side, layer.out_channels),
        kernel=layer.kernel,
        stride=layer.stride,
        activation=layer.activation,
        weights=weights if layer.has_weights else 0,
        operations=layer.operations,
        crossbars=row_tiles * column_tiles * WEIGHT_BITS // CELL_BITS,
    )
