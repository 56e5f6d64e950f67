"""A network that contradicts itself is refused with the layer, the allowed and the given."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwgen.errors import FormatError
from hwgen.spec.network import MapQuantization, QuantizedNetwork, Requantization
from hwgen.spec.network.check import check_network
from hwgen.spec.network.graph import KINDS
from tests.golden.drawn import draw_every_operation, draw_joined
from verif.dbpim.directed_network import DIRECTED, directed

Change = Callable[[], QuantizedNetwork]
CONV, ADD, POOL, MEAN, HEAD = "conv_0", "add_2", "max_pool_3", "average_pool_5", "linear_6"
BYTES, MODES, JOINED = directed("zero_points"), draw_every_operation(1), draw_joined(0)
"""Of one mode and bytes; of three modes; of one mode with joined maps, groups and wide sums."""


def refused(network: QuantizedNetwork) -> str:
    with pytest.raises(FormatError) as caught:
        check_network(network, source="here")
    assert str(caught.value).endswith(" (here)")
    return str(caught.value).removesuffix(" (here)")


def graphed(network: QuantizedNetwork, **changes: Any) -> QuantizedNetwork:
    """Return a network with other fields in its graph."""
    return replace(network, graph=replace(network.graph, **changes))


def changed(network: QuantizedNetwork, which: str, /, **changes: Any) -> QuantizedNetwork:
    """Return a network with other fields in one layer."""
    layers = [
        replace(layer, **changes) if layer.name == which else layer for layer in network.layers
    ]
    assert layers != network.layers
    return graphed(network, layers=layers)


def with_output(network: QuantizedNetwork, name: str, /, **changes: Any) -> QuantizedNetwork:
    """Return a network with other fields in one layer's output."""
    return changed(network, name, output=replace(network.map_of(name), **changes))


def with_values(
    network: QuantizedNetwork, name: str, mode: int = 0, /, **changes: Any
) -> QuantizedNetwork:
    """Return a network with another quantization of one layer's output in one mode."""
    values = list(network.map_of(name).quantization)
    values[mode] = replace(values[mode], **changes)
    return with_output(network, name, quantization=tuple(values))


def with_array(
    network: QuantizedNetwork, name: str, key: str, change: Callable[[np.ndarray], Any]
) -> QuantizedNetwork:
    """Return a network with one array changed in place or replaced."""
    array = network.arrays_of(name)[key].copy()
    answer = change(array)
    fresh = array if answer is None else answer
    if key == "table":
        return replace(network, tables={**network.tables, name: fresh})
    parameters = replace(network.parameters[name], **{key: fresh})
    return replace(network, parameters={**network.parameters, name: parameters})


def fill(value: int, place: Any = (0, 1)) -> Callable[[np.ndarray], None]:
    """Return a change that puts one value into one place."""

    def change(array: np.ndarray) -> None:
        array[place] = value

    return change


def named(network: QuantizedNetwork, op: str) -> str:
    """Return the name of the first layer of a kind."""
    return next(layer.name for layer in network.layers if layer.op == op)


def factors(*multipliers: int, shift: int = 20) -> Requantization:
    return Requantization(multipliers=multipliers, shift=shift)


def test_the_networks_of_these_tests_hold_every_kind() -> None:
    for network in (BYTES, MODES, JOINED):
        check_network(network, source="here")
    ops = {layer.op for network in (BYTES, MODES, JOINED) for layer in network.layers}
    assert ops == set(KINDS)


SENTENCES: list[tuple[Change, str]] = [
    (
        lambda: graphed(BYTES, outputs=("nobody",)),
        "outputs must be names of layers, got nobody",
    ),
    (lambda: graphed(BYTES, outputs=("input",)), "outputs must be names of layers, got input"),
    (
        lambda: graphed(BYTES, outputs=(HEAD, HEAD)),
        f"outputs must be each once, got ['{HEAD}', '{HEAD}']",
    ),
    (
        lambda: graphed(BYTES, class_names=["one"]),
        "class_names must be empty or 3 names, got 1 names",
    ),
    (
        lambda: graphed(MODES, modes=("a", "b", "a")),
        "modes must be names of their own, got ['a', 'b', 'a']",
    ),
    (
        lambda: graphed(MODES, modes=("a", "b")),
        "input.quantization must be one entry for each of 2 modes, got 3 entries",
    ),
    (
        lambda: graphed(
            BYTES,
            input=replace(
                BYTES.graph.input,
                bits=32,
                quantization=(MapQuantization(scale=1.0, zero_point=0, low=0, high=0),),
            ),
        ),
        "input.bits must be from 1 to 16, got 32",
    ),
    *(
        (
            lambda name=name: changed(BYTES, POOL, name=name),
            f"layer name must be new, of letters, digits, _ . and -, and not `input`, got {name}",
        )
        for name in ("conv_0", "input", "a/b", "", "é")
    ),
    (
        lambda: changed(BYTES, POOL, inputs=("nobody",)),
        "max_pool_3.inputs must be among input, conv_0, conv_1, add_2, got nobody",
    ),
    (
        lambda: changed(BYTES, "conv_1", inputs=("conv_4",)),
        "conv_1.inputs must be among input, conv_0, got conv_4",
    ),
    (
        lambda: changed(BYTES, ADD, inputs=("conv_0",)),
        "add_2.inputs must be 2 of them, got ['conv_0']",
    ),
    (
        lambda: changed(JOINED, named(JOINED, "concatenate"), inputs=("conv_0",)),
        "concatenate_2.inputs must be at least 2 of them, got ['conv_0']",
    ),
    (
        lambda: with_output(BYTES, CONV, bits=17),
        "conv_0.output.bits must be from 1 to 16, 32 or 64, got 17",
    ),
    (
        lambda: with_output(BYTES, CONV, bits=6),
        "conv_0.output.quantization.0.high must be at most 63, got 255",
    ),
    (
        lambda: with_values(BYTES, CONV, low=250, high=249),
        "conv_0.output.quantization.0.low must be at most conv_0.output.quantization.0.high (249),"
        " got 250",
    ),
    (
        lambda: with_values(BYTES, HEAD, zero_point=1),
        "linear_6.output.quantization.0.zero_point must be at most 0, got 1",
    ),
    (
        lambda: with_output(BYTES, POOL, mode_channels=(8, 4)),
        "max_pool_3.output.mode_channels must be 1 entries, the first and largest channels (8),"
        " got [8, 4]",
    ),
    (
        lambda: with_output(MODES, "conv_0", mode_channels=(6, 10, 3)),
        "conv_0.output.mode_channels must be 3 entries, the first and largest channels (10),"
        " got [6, 10, 3]",
    ),
    (
        lambda: with_output(MODES, "conv_0", mode_channels=(10, 10, 10)),
        "conv_0.output.mode_channels must be empty where every mode has all channels,"
        " got [10, 10, 10]",
    ),
    (lambda: with_output(BYTES, CONV, height=7), "conv_0.output must be (6, 6, 8), got (7, 6, 8)"),
    (lambda: with_output(BYTES, ADD, channels=9), "add_2.output must be (6, 6, 8), got (6, 6, 9)"),
    (
        lambda: with_output(BYTES, POOL, width=2),
        "max_pool_3.output must be (3, 3, 8), got (3, 2, 8)",
    ),
    (
        lambda: with_output(BYTES, POOL, bits=32, quantization=raw_values()),
        "max_pool_3.output.bits must be from 1 to 16, got 32",
    ),
    (
        lambda: changed(BYTES, MEAN, kernel=(4, 2)),
        "average_pool_5 window must be inside its input (3, 3, 8), got a larger one",
    ),
    (
        lambda: changed(BYTES, ADD, inputs=("conv_1", "input")),
        "add_2 inputs must be of one shape, got (6, 6, 8) and (6, 6, 3)",
    ),
    (
        lambda: with_values(BYTES, POOL, zero_point=10),
        "max_pool_3.output.quantization.0 must be with scale and zero point of its input,"
        " got others",
    ),
    (
        lambda: with_values(BYTES, POOL, low=10),
        "max_pool_3.output.quantization.0 range must be at least as wide as its input's, 9 to 240,"
        " got 10 to 240",
    ),
    (
        lambda: changed(
            BYTES, POOL, padding=(1, 3, 1, 0), output=replace(BYTES.map_of(POOL), width=4)
        ),
        "max_pool_3.padding must be below its kernel [3, 3] on every side, got [1, 3, 1, 0]",
    ),
    (
        lambda: changed(BYTES, ADD, requantization=(factors(1 << 15),)),
        "add_2.requantization.0.multipliers must be 2 long, got [32768]",
    ),
    (
        lambda: changed(BYTES, ADD, requantization=(factors(32767, 5),)),
        "add_2.requantization.0.multipliers must be such that the largest is from 32768 to 65535,"
        " got [32767, 5]",
    ),
    (
        lambda: changed(BYTES, MEAN, requantization=(factors(1 << 15), factors(1 << 15))),
        "average_pool_5.requantization must be one entry for each of 1 modes, got 2",
    ),
    (
        lambda: with_array(BYTES, CONV, "multiplier", fill(32767)),
        "conv_0.multiplier must be from 32768 to 65535, got 32767",
    ),
    (
        lambda: with_array(BYTES, CONV, "shift", fill(0)),
        "conv_0.shift must be from 1 to 47, got 0",
    ),
    (
        lambda: with_array(BYTES, CONV, "shift", fill(48)),
        "conv_0.shift must be from 1 to 47, got 48",
    ),
    (
        lambda: with_array(BYTES, HEAD, "multiplier", lambda _: np.zeros((1, 3), np.uint16)),
        "linear_6.multiplier must be of shape (1, 0), got (1, 3)",
    ),
    (
        lambda: with_array(BYTES, HEAD, "weights", lambda array: array[:, 1:]),
        "linear_6.weights must be of shape (3, 32), got (3, 31)",
    ),
    (
        lambda: with_array(BYTES, CONV, "bias", lambda array: array.astype(np.int32)),
        "conv_0.bias must be int64, got int32",
    ),
    (
        lambda: with_array(BYTES, HEAD, "weight_scale", fill(2, place=1)),
        "linear_6.weight_scale must be the same for all channels of raw sums, got several",
    ),
    (
        lambda: with_output(BYTES, HEAD, bits=64),
        "linear_6.output.bits must be 32, as its sums, got 64",
    ),
    (
        lambda: changed(BYTES, CONV, weight_bits=4),
        "conv_0.weights must be from -8 to 7, got ",
    ),
    (
        lambda: changed(BYTES, CONV, weight_bits=12),
        "conv_0.weights must be int16, got int8",
    ),
    (
        lambda: changed(BYTES, CONV, weight_bits=1),
        "conv_0.weight_bits must be from 2 to 16 of an integer grid, got 1",
    ),
    (
        lambda: changed(BYTES, CONV, weight_grid="odd"),
        "conv_0.weight_bits must be from 1 to 7 of an odd grid, got 8",
    ),
    (
        lambda: changed(BYTES, CONV, weight_grid="odd", weight_bits=7),
        "conv_0.weights must be odd and from -127 to 127, got ",
    ),
    (
        lambda: changed(JOINED, "conv_0", groups=3),
        "conv_0.groups must be a divisor of its channels (4 and 6), got 3",
    ),
    (
        lambda: changed(MODES, "conv_1", groups=5),
        "conv_1.groups must be 1 or depthwise (10) where modes differ in channels, got 5",
    ),
    (
        lambda: with_output(MODES, "conv_1", mode_channels=(10, 5, 3)),
        "conv_1.output.mode_channels must be [10, 6, 3], got [10, 5, 3]",
    ),
    (
        lambda: with_output(MODES, "rescale_3", mode_channels=(10, 5, 3)),
        "rescale_3.output.mode_channels must be those of its input ([10, 6, 3]), got [10, 5, 3]",
    ),
    (
        lambda: with_array(MODES, "conv_0", "bias", fill(1, place=(2, 3))),
        "conv_0.bias must be 0 past the channels of mode 2, got others",
    ),
    (
        lambda: with_array(MODES, "conv_0", "shift", fill(1, place=(1, 9))),
        "conv_0.shift must be 0 past the channels of mode 1, got others",
    ),
    (
        lambda: with_array(MODES, "table_2", "table", fill(255, place=(1, 7))),
        "table_2.table must be from ",
    ),
    (
        lambda: with_output(MODES, "table_2", bits=9),
        "table_2.bits must be at most 8, got 9",
    ),
    (
        lambda: with_array(MODES, "table_2", "table", lambda table: table[:2]),
        "table_2.table must be of shape (3, 256), got (2, 256)",
    ),
    (
        lambda: graphed(
            JOINED,
            modes=("a", "b"),
            input=doubled(JOINED),
            layers=[replace(layer, output=twice(layer.output)) for layer in JOINED.layers],
        ),
        "conv_0.bias must be of shape (2, 6), got (1, 6)",
    ),
    (
        lambda: changed(JOINED, "concatenate_2", inputs=("conv_0", "input", "conv_0")),
        "concatenate_2.output must be (5, 3, 16), got (5, 3, 15)",
    ),
    (
        lambda: with_array(BYTES, CONV, "bias", fill((1 << 31) - 1)),
        "conv_0 accumulator must be within int32, got an overflow in output channel 1",
    ),
    (
        lambda: with_array(BYTES, HEAD, "bias", fill(-(1 << 31))),
        "linear_6 accumulator must be within int32, got an overflow in output channel 1",
    ),
    (
        lambda: with_array(JOINED, "linear_5", "bias", fill(1 << 47)),
        "linear_5 accumulator must be within int48, got an overflow in output channel 1",
    ),
]


def raw_values() -> tuple[MapQuantization, ...]:
    return (MapQuantization(scale=1.0, zero_point=0, low=0, high=0),)


def twice(feature: Any) -> Any:
    return replace(feature, quantization=feature.quantization * 2)


def doubled(network: QuantizedNetwork) -> Any:
    return twice(network.graph.input)


@pytest.mark.parametrize(("network", "sentence"), SENTENCES)
def test_contradictions(network: Change, sentence: str) -> None:
    if sentence[-1].isspace():
        assert refused(network()).startswith(sentence)
    else:
        assert refused(network()) == sentence


def test_the_image_means_the_same_in_all_modes() -> None:
    values = list(MODES.graph.input.quantization)
    values[1] = replace(values[1], scale=9.0)
    image = replace(MODES.graph.input, quantization=tuple(values))
    sentence = "input.quantization must be equal in all modes, got several"
    assert refused(graphed(MODES, input=image)) == sentence


def test_raw_sums_are_read_by_nobody() -> None:
    pool = next(layer for layer in BYTES.layers if layer.name == POOL)
    after = replace(pool, name="after", inputs=(HEAD,))
    sentence = "after.inputs must be requantized maps, got the raw sums of linear_6"
    assert refused(graphed(BYTES, layers=[*BYTES.layers, after])) == sentence


def test_concatenation_breaks_prefixes() -> None:
    first = MODES.layers[0]
    joined = KINDS["concatenate"](
        name="joined",
        op="concatenate",
        inputs=(first.name, first.name),
        output=replace(first.output, channels=20, mode_channels=(20, 12, 6)),
        source="",
    )
    sentence = "joined must be in a network of one mode (prefixes break), got 3"
    assert refused(graphed(MODES, layers=[first, joined, *MODES.layers[1:]])) == sentence


def test_integers_belong_to_layers() -> None:
    parameters = dict(BYTES.parameters)
    conv = parameters.pop(CONV)
    without = replace(BYTES, parameters=parameters)
    assert refused(without) == "conv_0.bias must be present, got nothing"
    beside = replace(BYTES, parameters={**BYTES.parameters, "stranger": conv})
    assert refused(beside) == "every array must be of a layer, got stranger.bias"
    pool = replace(BYTES, parameters={**BYTES.parameters, POOL: conv})
    assert (
        refused(pool) == f"{POOL}.bias must be absent from a layer of kind max_pool, got an array"
    )
    table = replace(BYTES, tables={POOL: np.zeros((1, 256), np.uint8)})
    assert (
        refused(table) == f"{POOL}.table must be absent from a layer of kind max_pool, got an array"
    )


@pytest.mark.parametrize(("network", "name", "bits"), [(BYTES, CONV, 31), (JOINED, "linear_5", 47)])
def test_sums_may_reach_their_edge(network: QuantizedNetwork, name: str, bits: int) -> None:
    layer = next(layer for layer in network.layers if layer.name == name)
    largest = (1 << network.map_of(layer.inputs[0]).bits) - 1
    weights = network.parameters[name].weights[1].astype(np.int64)
    highest = (1 << bits) - 1 - largest * int(weights[weights > 0].sum())
    check_network(with_array(network, name, "bias", fill(highest)), source="here")
    over = with_array(network, name, "bias", fill(highest + 1))
    assert "overflow in output channel 1" in refused(over)
    lowest = -(1 << bits) - largest * int(weights[weights < 0].sum())
    check_network(with_array(network, name, "bias", fill(lowest)), source="here")
    under = with_array(network, name, "bias", fill(lowest - 1))
    assert "overflow in output channel 1" in refused(under)


def test_only_active_weights_count_in_a_mode() -> None:
    """A narrow mode may have a bias that the widest could not bear."""
    parameters = MODES.parameters["linear_13"]
    layer = next(layer for layer in MODES.layers if layer.name == "linear_13")
    source = MODES.map_of(layer.inputs[0])
    active = layer.active(parameters.weights, source, 2)[0].astype(np.int64)
    whole = layer.active(parameters.weights, source, 0)[0].astype(np.int64)
    edge = (1 << 31) - 1 - 255 * int(active[active > 0].sum())
    assert 255 * int(whole[whole > 0].sum()) + edge >= 1 << 31
    check_network(with_array(MODES, "linear_13", "bias", fill(edge, (2, 0))), source="here")
    over = with_array(MODES, "linear_13", "bias", fill(edge + 1, (2, 0)))
    assert refused(over) == (
        "linear_13 accumulator must be within int32, got an overflow in output channel 0"
    )


@pytest.mark.parametrize("name", DIRECTED)
def test_directed_networks_hold(name: str) -> None:
    check_network(directed(name), source="here")
