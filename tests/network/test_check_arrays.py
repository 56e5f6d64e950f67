"""Integers that contradict the graph are refused with the layer, the allowed and the given."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwgen.network import QuantizedNetwork
from hwgen.network.check import check_network
from tests.network.changes import (
    BYTES,
    CONV,
    HEAD,
    JOINED,
    MODES,
    POOL,
    TOKENS,
    Change,
    changed,
    check_sentence,
    fill,
    graphed,
    refused,
    with_array,
    with_output,
)

SENTENCES: list[tuple[Change, str]] = [
    (
        lambda: with_array(BYTES, CONV, "multiplier", fill(32767)),
        "conv_0.multiplier must be from 32768 to 2147483647, got 32767",
    ),
    (
        lambda: with_array(BYTES, CONV, "shift", fill(0)),
        "conv_0.shift must be from 1 to 62, got 0",
    ),
    (
        lambda: with_array(BYTES, CONV, "shift", fill(63)),
        "conv_0.shift must be from 1 to 62, got 63",
    ),
    (
        lambda: with_array(BYTES, HEAD, "multiplier", lambda _: np.zeros((1, 3), np.uint32)),
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
        lambda: with_array(BYTES, HEAD, "weight_scale", fill(0, place=1)),
        "linear_6.weight_scale must be positive, or the same for all channels, of raw sums, got"
        " others",
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


def holding(name: str, key: str, array: np.ndarray | None) -> QuantizedNetwork:
    """Return the transformer with another array in one layer; None: without it."""
    held = {which: dict(arrays) for which, arrays in TOKENS.held.items()}
    held.setdefault(name, {}).pop(key, None)
    if array is not None:
        held[name][key] = array
    return replace(TOKENS, held=held)


def bits(*values: float) -> np.ndarray:
    return np.array(values, np.float32).view(np.uint32)


def bounded(factor: int, largest: float) -> QuantizedNetwork:
    """Return the transformer whose softmax (12 channels in a group) has these."""
    table = np.full(256, largest, np.float32).view(np.uint32)
    return changed(holding("softmax_10", "exponentials", table), "softmax_10", factor=factor)


RISING = np.arange(256, dtype=np.float32).view(np.uint32)
HELD = [
    (
        holding("softmax_10", "exponentials", RISING),
        "softmax_10.exponentials must be bits of finite float32 from above 0 down, none negative,"
        " got others",
    ),
    (
        holding("softmax_10", "exponentials", RISING[:5]),
        "softmax_10.exponentials must be of shape (256,), got (5,)",
    ),
    (
        bounded(300, 1.2e36),
        "softmax_10: E[0] x factor in float32 must be at most 3.40e+38, got 3.60e+38",
    ),
    (
        bounded(1, 1.2e38),
        "softmax_10: E[0] x channels of a group in float32 must be at most 1.70e+38, got 1.44e+39",
    ),
    (
        holding("layer_norm_5", "values", bits(*[1e16] * 256)),
        "layer_norm_5.values must be zero, or up to 1.13e+15 and within a factor of 2^25, got"
        " 1.00e+16 to 1.00e+16",
    ),
    (
        holding("layer_norm_5", "values", bits(*[1e-9] * 255, -1.0)),
        "layer_norm_5.values must be zero, or up to 1.13e+15 and within a factor of 2^25, got"
        " 1.00e-09 to 1.00e+00",
    ),
    (
        holding("layer_norm_5", "gamma", bits(1.0, 2.0)),
        "the channels that layer_norm_5 norms must be a multiple of 8 up to 4096 that divides its"
        " 16 channels, got 2",
    ),
    (
        holding("layer_norm_5", "constants", bits(0.5, 0.0)),
        "layer_norm_5.constants must be eps and scale above 0, got [0.5, 0.0]",
    ),
    (
        holding("layer_norm_5", "beta", bits(*[np.inf] * 16)),
        "layer_norm_5.beta must be bits of finite float32, got others",
    ),
    (
        holding("layer_norm_5", "values", np.zeros(256, np.int64)),
        "layer_norm_5.values must be uint32, got int64",
    ),
    (
        holding("constant_1", "map", np.zeros((3, 3, 16), np.uint8)),
        "constant_1.map must be from 96 to 255, got 0",
    ),
    (holding("constant_1", "map", None), "constant_1.map must be present, got nothing"),
    (
        holding("add_2", "map", np.zeros(1, np.uint8)),
        "add_2.map must be absent from a layer of kind add, got an array",
    ),
    (
        holding("stranger", "map", np.zeros(1, np.uint8)),
        "every array must be of a layer, got stranger.map",
    ),
]


@pytest.mark.parametrize(("network", "sentence"), HELD, ids=[each for _, each in HELD])
def test_arrays_of_newer_kinds(network: QuantizedNetwork, sentence: str) -> None:
    assert refused(network) == sentence


def twice(feature: Any) -> Any:
    return replace(feature, quantization=feature.quantization * 2)


def doubled(network: QuantizedNetwork) -> Any:
    return twice(network.graph.input)


@pytest.mark.promise("a network that contradicts itself, in any field of any kind, is one sentence")
@pytest.mark.parametrize(("network", "sentence"), SENTENCES)
def test_contradictions(network: Change, sentence: str) -> None:
    check_sentence(network, sentence)


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
