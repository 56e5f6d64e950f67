"""Quantized network files in synthesis: shapes and bits come from the file."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.crossbar.compiler.quantized import Bits, bits_of, crossbar_network
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.pages.networks import load_problem
from hwgen.errors import ConfigError
from hwgen.importers.onnx.qdq.export import model_of_network
from hwgen.network import Add, Concatenate, Graph, QuantizedNetwork, Table
from hwgen.network.file import load_network
from tests.onnx_graphs import layers_of
from tests.synthesis import COMPONENTS
from verif.common.drawing import Drawing

FOLDER = Path(__file__).parents[3] / "configs/networks"
RESNET = FOLDER / "digits_resnet20.npz"

BITS = {
    "digits_resnet20.npz": Bits(8, 8),
    "bits/cadnn_digits_16_16.npz": Bits(16, 16),
    "bits/cadnn_digits_4_4.npz": Bits(5, 8),
    "bits/cadnn_digits_1_1.npz": Bits(2, 8),
}


@pytest.mark.promise("a quantized network file is synthesized with its shapes and its bits")
@pytest.mark.parametrize("name", BITS)
def test_bits_are_those_of_the_widest_data(name: str) -> None:
    """An odd grid of b bits needs b + 1 in two's complement; images have bytes."""
    network = load_network(FOLDER / name)
    assert bits_of(network) == BITS[name]
    found, components = load_problem(str(FOLDER / name), COMPONENTS)
    assert found == crossbar_network(network)
    assert (components.weight_bits, components.activation_bits) == BITS[name]
    assert replace(components, weight_bits=16, activation_bits=16) == COMPONENTS


def test_a_network_of_a_name_keeps_the_bits_of_the_constants() -> None:
    network, components = load_problem("cifar_alexnet", COMPONENTS)
    assert network.name == "cifar_alexnet" and components is COMPONENTS


def test_layers_are_those_of_its_onnx_model() -> None:
    """Weights, windows, sides and readers; the exported model has no activations of its own."""
    network = load_network(RESNET)
    ours = crossbar_network(network)
    other = layers_of(model_of_network(network), name="digits", source="x")
    weighted = [
        [
            (
                each.kind,
                each.kernels,
                each.strides,
                each.paddings,
                each.in_sides,
                each.out_sides,
                each.in_channels,
                each.out_channels,
                each.groups,
            )
            for each in found.layers
            if each.has_weights
        ]
        for found in (ours, other)
    ]
    assert weighted[0] == weighted[1]
    assert ours.operations == other.operations


def test_facts_of_the_file_are_kept() -> None:
    made = crossbar_network(load_network(RESNET))
    assert (made.input_channels, made.input_sides) == (1, (8, 8))
    first, head = made.layers[0], made.layers[-1]
    assert (first.providers, first.activation, first.limits) == ((), "relu", (0, 255))
    assert (head.kind, head.limits, head.raw_bits) == ("fc", None, 32)
    assert {each.raw_bits for each in made.layers[:-1]} == {None}
    assert [each.activation for each in made.layers[:4]] == ["relu", "relu", "none", "relu"]
    assert [each.average for each in made.layers if each.kind == "pool"][-1]
    added = next(each for each in made.layers if each.kind == "eltwise")
    assert len(added.providers) == 2 and added.activation == "relu"


def test_rows_and_columns_of_a_window_are_each_their_own() -> None:
    drawing = Drawing(1, modes=("full",), shape=(5, 9, 2))
    name = drawing.conv("input", (4,), kernel=(3, 1), stride=(1, 2), padding=(1, 0, 1, 0))
    (layer,) = crossbar_network(drawing.build(name)).layers
    assert (layer.kernels, layer.strides, layer.paddings) == ((3, 1), (1, 2), (1, 0))
    assert (layer.in_sides, layer.out_sides) == ((5, 9), (5, 5))


def test_a_shortcut_is_a_pooling_of_one_pixel() -> None:
    made = crossbar_network(load_network(FOLDER / "cadnn_cifar10_resnet20.npz"))
    shortcut = next(each for each in made.layers if each.kind == "pool")
    assert (shortcut.kernels, shortcut.strides) == ((1, 1), (2, 2))
    assert shortcut.out_channels == 2 * shortcut.in_channels
    assert not shortcut.average


def test_the_size_of_its_image_is_known() -> None:
    with pytest.raises(ConfigError, match=r"--image-size must be .* got .*digits_resnet20"):
        load_problem(str(RESNET), COMPONENTS, (1, 8, 8))


def with_table(place: int, *, alone: bool = True) -> CrossbarNetwork:
    """Put a table behind a layer of a network, -1: the image; alone: its readers read the table."""
    network = load_network(FOLDER / "digits_small_cnn.npz")
    layers = list(network.graph.layers)
    name, output = "input", network.graph.input
    if place >= 0:
        name, output = layers[place].name, layers[place].output
    table = Table(name="table", op="table", inputs=(name,), output=output, source="")
    if alone:
        layers = [
            replace(each, inputs=tuple("table" if one == name else one for one in each.inputs))
            for each in layers
        ]
    graph: Graph = replace(
        network.graph, layers=[*layers[: place + 1], table, *layers[place + 1 :]]
    )
    return crossbar_network(QuantizedNetwork(graph=graph, parameters=network.parameters))


def test_a_table_is_the_function_of_the_layer_before() -> None:
    made = with_table(0)
    assert made.layers[0].activation == "sigmoid"
    assert [each.activation for each in made.layers].count("sigmoid") == 1


def test_a_table_of_the_image_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"table must be written by a layer, got the image"):
        with_table(-1)


def test_a_table_of_a_map_that_others_read_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"map that table reads must be read by nothing else"):
        with_table(0, alone=False)


def added(*, inputs: tuple[int, ...] = (), joined: tuple[int, ...] = ()) -> CrossbarNetwork:
    """Change what the first addition of a network reads: layers before it, -1: the image.

    joined: a concatenation of these is its second operand
    """
    network = load_network(RESNET)
    layers = list(network.graph.layers)
    place = next(k for k, each in enumerate(layers) if isinstance(each, Add))
    names = [each.name for each in layers[:place]] + ["input"]
    reads = tuple(names[k] for k in inputs) or layers[place].inputs
    both = []
    if joined:
        sources = tuple(names[k] for k in joined)
        both = [
            Concatenate(
                name="both",
                op="concatenate",
                inputs=sources,
                output=layers[place].output,
                source="",
            )
        ]
        reads = (reads[0], "both")
    layers[place] = replace(layers[place], inputs=reads)
    graph: Graph = replace(network.graph, layers=[*layers[:place], *both, *layers[place:]])
    return crossbar_network(QuantizedNetwork(graph=graph, parameters=network.parameters))


def test_operands_of_an_addition_stand_in_their_order() -> None:
    one, other = added(inputs=(0, 1)), added(inputs=(1, 0))
    places = [
        next(each.providers for each in made.layers if each.kind == "eltwise")
        for made in (one, other)
    ]
    assert places == [(0, 1), (1, 0)]


@pytest.mark.parametrize(
    ("inputs", "joined", "given"),
    [
        ((0, -1), (), "the image among them"),
        ((0, 0), (), "one of them twice"),
        ((), (0, 1), "a concatenation among them"),
        ((), (0, -1), "the image among them"),
        ((), (1, 1), "one of them twice"),
    ],
)
def test_operands_without_a_ring_are_refused(
    inputs: tuple[int, ...], joined: tuple[int, ...], given: str
) -> None:
    with pytest.raises(ConfigError, match=f"maps of different layers, one each, got {given}"):
        added(inputs=inputs, joined=joined)
