"""A network that contradicts itself is refused with the layer, the allowed and the given."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwgen.errors import FormatError
from hwgen.spec.network import (
    Add,
    AveragePool,
    Conv,
    Layer,
    Linear,
    MaxPool,
    QuantizedNetwork,
)
from hwgen.spec.network.check import check_network
from verif.dbpim.directed_network import DIRECTED, directed

CONV, ADD, POOL, MEAN, HEAD = "conv_0", "add_2", "max_pool_3", "average_pool_5", "linear_6"


def refused(network: QuantizedNetwork) -> str:
    with pytest.raises(FormatError) as caught:
        check_network(network, source="here")
    assert str(caught.value).endswith(" (here)")
    return str(caught.value).removesuffix(" (here)")


def with_layers(network: QuantizedNetwork, layers: list[Layer]) -> QuantizedNetwork:
    return replace(network, graph=replace(network.graph, layers=layers))


def changed(which: str, /, **changes: Any) -> QuantizedNetwork:
    """Return the network `zero_points` with other fields in one layer."""
    network = directed("zero_points")
    layers = [
        replace(layer, **changes) if layer.name == which else layer for layer in network.layers
    ]
    return with_layers(network, layers)


def with_output(name: str, **changes: Any) -> QuantizedNetwork:
    """Return the network `zero_points` with other fields in one layer's output."""
    return changed(name, output=replace(directed("zero_points").map_of(name), **changes))


def with_array(name: str, key: str, change: Callable[[np.ndarray], Any]) -> QuantizedNetwork:
    """Return the network `zero_points` with one array changed in place or replaced."""
    network = directed("zero_points")
    array = getattr(network.parameters[name], key).copy()
    answer = change(array)
    fresh = replace(network.parameters[name], **{key: array if answer is None else answer})
    return replace(network, parameters={**network.parameters, name: fresh})


def fill(value: int) -> Callable[[np.ndarray], None]:
    """Return a change that puts one value into channel 1."""

    def change(array: np.ndarray) -> None:
        array[1] = value

    return change


def test_the_network_of_these_tests_holds_every_kind() -> None:
    network = directed("zero_points")
    check_network(network, source="here")
    assert {type(layer) for layer in network.layers} == {Conv, Linear, MaxPool, AveragePool, Add}


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (
            lambda: changed(HEAD, head=False),
            "head must be the last layer (linear_6) alone, got no layer",
        ),
        (
            lambda: changed(CONV, head=True),
            "head must be the last layer (linear_6) alone, got ['conv_0', 'linear_6']",
        ),
        (
            lambda: with_layers(directed("zero_points"), directed("zero_points").layers[:1]),
            "head must be the last layer (conv_0) alone, got no layer",
        ),
        (
            lambda: with_output(HEAD, height=2),
            "linear_6.output must be 1 x 1 x classes, got (2, 1, 3)",
        ),
        (lambda: with_output(HEAD, channels=4), "class_names must be 4 names, got 3 names"),
        (
            lambda: changed(POOL, name="conv_0"),
            "layer name must be new, not empty and without a dot, got conv_0",
        ),
        (
            lambda: changed(POOL, name="input"),
            "layer name must be new, not empty and without a dot, got input",
        ),
        (
            lambda: changed(POOL, name="a.b"),
            "layer name must be new, not empty and without a dot, got a.b",
        ),
        (
            lambda: changed(POOL, name=""),
            "layer name must be new, not empty and without a dot, got ",
        ),
        (
            lambda: changed(POOL, input="nobody"),
            "max_pool_3.input must be one of input, conv_0, conv_1, add_2, got nobody",
        ),
        (
            lambda: changed("conv_1", input="conv_4"),
            "conv_1.input must be one of input, conv_0, got conv_4",
        ),
        (
            lambda: with_output(CONV, low=250, high=249),
            "conv_0.output.low must be at most conv_0.output.high (249), got 250",
        ),
        (
            lambda: with_output(CONV, height=7),
            "conv_0.output must be (6, 6, 8), got (7, 6, 8)",
        ),
        (lambda: with_output(ADD, channels=9), "add_2.output must be (6, 6, 8), got (6, 6, 9)"),
        (lambda: with_output(POOL, width=2), "max_pool_3.output must be (3, 3, 8), got (3, 2, 8)"),
        (
            lambda: changed(MEAN, kernel_height=4),
            "average_pool_5 window must be inside its input (3, 3, 8), got a larger one",
        ),
        (
            lambda: changed(ADD, b="input"),
            "add_2 inputs must be of one shape, got (6, 6, 8) and (6, 6, 3)",
        ),
        (
            lambda: with_output(POOL, zero_point=10),
            "max_pool_3.output must be with scale and zero point of its input, got others",
        ),
        (
            lambda: with_output(POOL, low=10),
            "max_pool_3.output range must be at least as wide as its input's, 9 to 240, "
            "got 10 to 240",
        ),
        (
            lambda: changed(POOL, padding=2, output=replace_size(POOL, 4)),
            "max_pool_3.padding must be at most half of kernel (3), got 2",
        ),
        (
            lambda: with_array(CONV, "multiplier", fill(32767)),
            "conv_0.multiplier must be from 32768 to 65535, got 32767",
        ),
        (
            lambda: with_array(CONV, "shift", fill(0)),
            "conv_0.shift must be from 1 to 47, got 0",
        ),
        (
            lambda: with_array(CONV, "shift", fill(48)),
            "conv_0.shift must be from 1 to 47, got 48",
        ),
        (
            lambda: with_array(HEAD, "multiplier", lambda _: np.zeros(3, np.uint16)),
            "linear_6.multiplier must be of shape (0,), got (3,)",
        ),
        (
            lambda: with_array(HEAD, "weights", lambda array: array[:, 1:]),
            "linear_6.weights must be of shape (3, 32), got (3, 31)",
        ),
        (
            lambda: with_array(CONV, "bias", lambda array: array.astype(np.int64)),
            "conv_0.bias must be int32, got int64",
        ),
        (
            lambda: with_array(CONV, "bias", fill((1 << 31) - 1)),
            "conv_0 accumulator must be within int32, got an overflow in output channel 1",
        ),
        (
            lambda: with_array(HEAD, "bias", fill(-(1 << 31))),
            "linear_6 accumulator must be within int32, got an overflow in output channel 1",
        ),
    ],
)
def test_contradictions(network: Callable[[], QuantizedNetwork], sentence: str) -> None:
    assert refused(network()) == sentence


def replace_size(name: str, size: int) -> Any:
    return replace(directed("zero_points").map_of(name), height=size, width=size)


def test_integers_belong_to_layers() -> None:
    network = directed("zero_points")
    parameters = dict(network.parameters)
    conv = parameters.pop(CONV)
    without = replace(network, parameters=parameters)
    assert refused(without) == "conv_0.weights must be present, got nothing"
    beside = replace(network, parameters={**network.parameters, "stranger": conv})
    assert refused(beside) == "every array must be of a layer with weights, got one of stranger"
    pool = replace(network, parameters={**network.parameters, POOL: conv})
    assert refused(pool) == "every array must be of a layer with weights, got one of max_pool_3"


def test_the_accumulator_may_reach_the_edge_of_int32() -> None:
    network = directed("zero_points")
    weights = network.parameters[CONV].weights[1].astype(np.int64)
    highest = (1 << 31) - 1 - 255 * int(weights[weights > 0].sum())
    check_network(with_array(CONV, "bias", fill(highest)), source="here")
    assert "overflow in output channel 1" in refused(with_array(CONV, "bias", fill(highest + 1)))
    lowest = -(1 << 31) - 255 * int(weights[weights < 0].sum())
    check_network(with_array(CONV, "bias", fill(lowest)), source="here")
    assert "overflow in output channel 1" in refused(with_array(CONV, "bias", fill(lowest - 1)))


@pytest.mark.parametrize("name", DIRECTED)
def test_directed_networks_hold(name: str) -> None:
    check_network(directed(name), source="here")
