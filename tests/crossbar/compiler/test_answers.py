"""Every output of a network is a layer that nothing reads: only such a map leaves a chip."""

from dataclasses import replace

import numpy as np
import pytest

from golden.network import infer
from hwgen.crossbar.compiler.answers import with_answers
from hwgen.crossbar.compiler.compile import plans_of
from hwgen.crossbar.compiler.quantized import crossbar_network
from hwgen.errors import ConfigError
from hwgen.network import QuantizedNetwork
from hwgen.network.check import check_network
from verif.common.drawing import Drawing, draw_images


def two_branches() -> tuple[Drawing, str, str, str]:
    """Return two convolutions of the image, and their concatenation."""
    drawing = Drawing(3, modes=("full",), shape=(4, 3, 2))
    one = drawing.conv("input", (3,), kernel=(3, 3), padding=(1, 1, 1, 1))
    other = drawing.conv("input", (2,), like=one)
    return drawing, one, other, drawing.concatenate(one, other)


def read_too() -> QuantizedNetwork:
    drawing = Drawing(3, modes=("full",), shape=(4, 3, 2))
    first = drawing.conv("input", (3,))
    return drawing.build(drawing.conv(first, (2,)), first)


def table_read_too() -> QuantizedNetwork:
    drawing = Drawing(3, modes=("full",), shape=(4, 3, 2))
    first = drawing.table(drawing.conv("input", (3,)))
    return drawing.build(first, drawing.conv(first, (2,)))


def joined() -> QuantizedNetwork:
    drawing, *_, both = two_branches()
    return drawing.build(both)


def joined_table() -> QuantizedNetwork:
    drawing, *_, both = two_branches()
    return drawing.build(drawing.table(both))


def joined_and_a_part() -> QuantizedNetwork:
    drawing, one, _, both = two_branches()
    return drawing.build(both, one)


def joined_and_read() -> QuantizedNetwork:
    drawing, *_, both = two_branches()
    return drawing.build(drawing.conv(both, (4,)), both)


def of_its_own() -> QuantizedNetwork:
    drawing = Drawing(3, modes=("full",), shape=(4, 3, 2))
    return drawing.build(drawing.conv("input", (3,)), drawing.table(drawing.conv("input", (2,))))


NETWORKS = {
    read_too: [("conv_0", None), ("conv_1", None), ("conv_0.answer", "conv_0")],
    table_read_too: [("table_1", None), ("conv_2", None), ("table_1.answer", "table_1")],
    joined: [("conv_0", None), ("conv_1", None), ("concatenate_2", None)],
    joined_table: [("conv_0", None), ("conv_1", None), ("table_3", None)],
    joined_and_a_part: [
        ("conv_0", None),
        ("conv_1", None),
        ("concatenate_2", None),
        ("conv_0.answer", "conv_0"),
    ],
    joined_and_read: [
        ("conv_0", None),
        ("conv_1", None),
        ("conv_3", None),
        ("concatenate_2", None),
    ],
    of_its_own: [("conv_0", None), ("table_2", None)],
}
"""What each layer of a chip stores: its name, and the map that it hands on if that is another's."""


@pytest.mark.promise(
    "every output of a network leaves a crossbar chip, and is compared as it lies in memory, by"
    " an export too"
)
@pytest.mark.parametrize("make", NETWORKS)
def test_every_output_is_a_layer_that_nothing_reads(make: "type") -> None:
    network = make()
    check_network(network, source="drawn")
    made = with_answers(network)
    check_network(made, source="made")
    layers = crossbar_network(network).layers
    read = {place for layer in layers for place in layer.providers}
    results = {layers[place].name for place in range(len(layers)) if place not in read}
    plans, fused = plans_of(network)
    named = {layer.name: plan.map for layer, plan in zip(layers, plans, strict=True)}
    assert {named[name] for name in results} >= set(network.graph.outputs)
    assert not set(fused) & set(network.graph.outputs)
    assert [(plan.name, plan.answers) for plan in plans] == NETWORKS[make]


@pytest.mark.parametrize("make", NETWORKS)
def test_what_is_added_changes_nothing(make: "type") -> None:
    network = make()
    made, images = with_answers(network), draw_images(network, 2, seed=1)
    before, after = infer(network, images), infer(made, images)
    for ours, theirs in zip(made.graph.outputs, network.graph.outputs, strict=True):
        assert np.array_equal(after[ours], before[theirs])
    assert with_answers(made) == made


def test_a_name_that_is_taken_is_not_used() -> None:
    network = read_too()
    layers = [replace(network.layers[0], name="conv_1.answer"), *network.layers]
    graph = replace(network.graph, layers=layers, outputs=("conv_1",))
    reader = replace(layers[1], name="reader", inputs=("conv_1",))
    graph = replace(graph, layers=[*layers, reader])
    assert with_answers(replace(network, graph=graph)).graph.outputs == ("conv_1.answer_",)


@pytest.mark.promise(
    "what no crossbar chip runs of a quantized network is refused before the search, in the"
    " sentence of the build"
)
def test_an_answer_that_a_table_reads_is_refused() -> None:
    """A layer writes one map, before its table or behind it."""
    drawing = Drawing(3, modes=("full",), shape=(4, 3, 2))
    first = drawing.conv("input", (3,))
    network = drawing.build(drawing.table(first), first)
    with pytest.raises(ConfigError, match="got conv_0, which table_1 and the host read"):
        crossbar_network(network)
