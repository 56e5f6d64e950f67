"""From a quantized network file to the layers of a CrossbarNetwork, and the bits of its data.

Of a network of several modes the widest is read. Concatenations, rescalings and tables are no
layers: their readers read through them, and a table is the function of the layer that wrote its
input. A shortcut is a pooling over windows of one pixel, and so is an answer that needs a layer.
"""

from typing import Literal, NamedTuple

from pydantic import ValidationError

from hwgen import network as net
from hwgen.crossbar.compiler.answers import THROUGH, layers_behind, with_answers
from hwgen.crossbar.compiler.layers import IMAGE_AMONG_THEM, OPERANDS, TWICE
from hwgen.crossbar.facts.network import Activation, Columns, CrossbarLayer, CrossbarNetwork, Kind
from hwgen.errors import ConfigError
from hwgen.files.load import first_mistake

WIDEST = 0
"""Place of the mode that is read."""

COMPUTED = (
    net.Add | net.AveragePool | net.Conv | net.Linear | net.MaxPool | net.Multiply | net.Shortcut
)

Pair = tuple[int, int]


class Bits(NamedTuple):
    """Bits of the widest weights and of the widest map of a network."""

    weights: int
    activations: int


class Axes(NamedTuple):
    """Kernel, stride, padding at top and left of a window, by rows and columns."""

    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)


def bits_of(network: net.QuantizedNetwork) -> Bits:
    """Return the bits that weights and maps need; raw sums of the answer are no maps."""
    graph = network.graph
    maps = [graph.input, *(layer.output for layer in graph.layers)]
    weighted = [layer for layer in graph.layers if isinstance(layer, net.Conv | net.Linear)]
    # The odd grid of b bits reaches 2^b - 1: one bit more in two's complement.
    weights = [layer.weight_bits + (layer.weight_grid == "odd") for layer in weighted]
    return Bits(
        weights=max(weights, default=1),
        activations=max(each.bits for each in maps if not each.raw),
    )


def crossbar_network(network: net.QuantizedNetwork) -> CrossbarNetwork:
    """Return the layers of a quantized network; what no crossbar computes is refused."""
    if newer := network.newer_layers():
        raise ConfigError(
            field="the layers",
            allowed="no transformer's on a crossbar chip (cells are not written for each image)",
            given=newer,
            source=network.graph.name,
        )
    image = network.graph.input
    layers: list[CrossbarLayer] = []
    providers: dict[str, tuple[int, ...]] = {net.INPUT: ()}
    graph = with_answers(network).graph
    maps = {net.INPUT: image, **{layer.name: layer.output for layer in graph.layers}}
    for layer in graph.layers:
        read = [providers[name] for name in layer.inputs]
        places = tuple(dict.fromkeys(place for each in read for place in each))
        if isinstance(layer, net.Add | net.Multiply | net.Concatenate):
            check_operands(layer, read, network.graph.name)
        if isinstance(layer, THROUGH):
            if isinstance(layer, net.Table):
                check_table(network, layer)
                give_function(layers, places, network.graph.name)
            providers[layer.name] = places
            continue
        if not isinstance(layer, COMPUTED):
            raise ConfigError(
                field=f"the op of {layer.name}",
                allowed="one that a crossbar chip computes",
                given=layer.op,
                source=network.graph.name,
            )
        layers.append(layer_of(layer, places, maps[layer.inputs[0]]))
        providers[layer.name] = (len(layers) - 1,)
    try:
        return CrossbarNetwork(
            name=network.graph.name,
            input_channels=image.channels,
            input_side=image.height,
            input_columns=None if image.height == image.width else image.width,
            layers=tuple(layers),
        )
    except ValidationError as error:
        raise first_mistake(error, network.graph.name) from None


def check_operands(
    layer: net.Add | net.Multiply | net.Concatenate, read: list[tuple[int, ...]], source: str
) -> None:
    """Refuse operands that have no ring of their own: each has to be the map of another layer.

    read: the layers behind each input, none: the image
    """
    places = [place for each in read for place in each]
    given = ""
    if not all(read):
        given = IMAGE_AMONG_THEM
    elif len(set(places)) < len(places):
        given = TWICE
    elif len(places) > len(read) and not isinstance(layer, net.Concatenate):
        given = "a concatenation among them"
    if given:
        raise ConfigError(
            field=f"inputs of {layer.name}",
            allowed=OPERANDS,
            given=given,
            source=source,
        )


def check_table(network: net.QuantizedNetwork, table: net.Table) -> None:
    """Refuse a table of a map that others read, or that is an answer: a layer writes one map."""
    made = {layer.name: layer for layer in network.graph.layers}
    names = list(table.inputs)
    for name in names:
        readers = [layer.name for layer in network.graph.layers if name in layer.inputs]
        readers += ["the host"] if name in network.graph.outputs else []
        if len(readers) > 1:
            raise ConfigError(
                field=f"the map that {table.name} reads",
                allowed="read by nothing else",
                given=f"{name}, which {' and '.join(readers)} read",
                source=network.graph.name,
            )
        if isinstance(made.get(name), THROUGH):
            names += made[name].inputs


def give_function(layers: list[CrossbarLayer], places: tuple[int, ...], source: str) -> None:
    """Make a table the function of the layers that wrote its input."""
    if not places:
        raise ConfigError(
            field="the input of a table",
            allowed="written by a layer",
            given="the image",
            source=source,
        )
    for place in places:
        fields = {**vars(layers[place]), "activation": "sigmoid"}
        layers[place] = CrossbarLayer(
            **{key: fields[key] for key in CrossbarLayer.__dataclass_fields__}
        )


def functions_of(network: net.QuantizedNetwork) -> dict[str, list[str]]:
    """Return the names of the tables that are applied to the map of each layer, in their order."""
    layers, behind = network.graph.layers, layers_behind(network)
    found: dict[str, list[str]] = {
        layer.name: [] for layer in layers if not isinstance(layer, THROUGH)
    }
    for layer in layers:
        if isinstance(layer, net.Table):
            for name in behind[layer.name]:
                found[name].append(layer.name)
    return found


def layer_of(layer: net.Layer, places: tuple[int, ...], read: net.FeatureMap) -> CrossbarLayer:
    """Return one layer; `read` is the map of its first input."""
    axes = axes_of(layer)
    written = layer.output
    in_sides, out_sides = (read.height, read.width), (written.height, written.width)
    in_channels = read.channels
    if isinstance(layer, net.Linear):
        in_channels, in_sides, out_sides = read.height * read.width * read.channels, (1, 1), (1, 1)
    square = in_sides[0] == in_sides[1] and out_sides[0] == out_sides[1]
    alike = all(pair[0] == pair[1] for pair in axes)
    columns = Columns(
        kernel=axes.kernel[1],
        stride=axes.stride[1],
        padding=axes.padding[1],
        in_side=in_sides[1],
        out_side=out_sides[1],
    )
    return CrossbarLayer(
        name=layer.name,
        kind=kind_of(layer),
        providers=places,
        kernel=axes.kernel[0],
        stride=axes.stride[0],
        padding=axes.padding[0],
        in_channels=in_channels,
        out_channels=written.channels,
        groups=layer.groups if isinstance(layer, net.Conv) else 1,
        in_side=in_sides[0],
        out_side=out_sides[0],
        activation=activation_of(layer),
        columns=None if square and alike else columns,
        product=isinstance(layer, net.Multiply),
        average=isinstance(layer, net.AveragePool),
        limits=limits_of(written),
        raw_bits=raw_bits_of(written),
    )


def kind_of(layer: net.Layer) -> Kind:
    """Return the kind of a layer."""
    if isinstance(layer, net.Conv):
        return "conv"
    if isinstance(layer, net.Linear):
        return "fc"
    return "pool" if isinstance(layer, net.AveragePool | net.MaxPool | net.Shortcut) else "eltwise"


def axes_of(layer: net.Layer) -> Axes:
    """Return the window of a layer."""
    if isinstance(layer, net.Conv | net.AveragePool | net.MaxPool):
        return Axes(layer.kernel, layer.stride, layer.padding[:2])
    return Axes(stride=layer.stride) if isinstance(layer, net.Shortcut) else Axes()


def limits_of(written: net.FeatureMap) -> Pair | None:
    """Return the least and the greatest integer of a map; None of raw sums."""
    if written.raw:
        return None
    values = written.quantization[WIDEST]
    return values.low, values.high


def raw_bits_of(written: net.FeatureMap) -> Literal[32, 64] | None:
    """Return the bits of raw sums; None of a map."""
    if not written.raw:
        return None
    return 32 if written.bits == 32 else 64


def activation_of(layer: net.Layer) -> Activation:
    """Return relu where the clip cuts what is below zero off, which no signed map does."""
    if not isinstance(layer, net.Conv | net.Linear | net.Add) or layer.output.raw:
        return "none"
    values = layer.output.quantization[WIDEST]
    return "relu" if values.low >= values.zero_point else "none"
