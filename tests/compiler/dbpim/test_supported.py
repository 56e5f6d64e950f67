"""What a network may hold and a DB-PIM chip does not run: one sentence, before anything else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hwgen.compiler.dbpim.compile import compile_network
from hwgen.errors import CompileError
from hwgen.spec.network import QuantizedNetwork
from hwgen.spec.network.check import check_network
from tests.compiler.dbpim.archs import SMALL
from tests.golden.drawn import Drawing, draw_every_operation
from verif.dbpim.directed_network import directed

Fill = Callable[[Drawing], str]


def drawn(fill: Fill, *, raw: bool = True) -> QuantizedNetwork:
    """Return a network of one mode: what `fill` appends, and a head over it."""
    net = Drawing(1, modes=("1.0x",), shape=(6, 6, 4))
    now = fill(net)
    if raw:
        now = net.linear(now, (3,), bits=32)
    network = net.build(now)
    check_network(network, source="drawn")
    return network


def conv(net: Drawing, **more: Any) -> str:
    return net.conv("input", (4,), **more)


def two(net: Drawing) -> tuple[str, str]:
    first = conv(net)
    return first, conv(net, like=first)


CASES: dict[str, tuple[Fill, str]] = {
    "multiply": (lambda net: net.multiply(*two(net)), "the operation must be one of"),
    "rescale": (lambda net: net.rescale(conv(net), bits=8), "the operation must be one of"),
    "table": (lambda net: net.table(conv(net)), "the operation must be one of"),
    "concatenate": (lambda net: net.concatenate(*two(net)), "the operation must be one of"),
    "shortcut": (
        lambda net: net.shortcut("input", (4,), stride=(2, 2)),
        "layer shortcut_0: the operation must be one of conv, linear, max_pool, average_pool, add"
        " on a dbpim chip, got shortcut",
    ),
    "groups": (
        lambda net: conv(net, groups=2),
        "layer conv_0: groups must be 1 on a dbpim chip, got 2",
    ),
    "stride": (
        lambda net: conv(net, stride=(1, 2)),
        "layer conv_0: the stride must be equal in both directions on a dbpim chip, got [1, 2]",
    ),
    "padding": (
        lambda net: conv(net, kernel=(3, 3), padding=(0, 0, 1, 1)),
        "layer conv_0: the padding must be equal on all sides on a dbpim chip, got [0, 0, 1, 1]",
    ),
    "padded average": (
        lambda net: net.average_pool("input", kernel=(3, 3), stride=(1, 1), padding=(1, 1, 1, 1)),
        "layer average_pool_0: the padding must be 0 of an average pool on a dbpim chip, got 1",
    ),
    "kernel": (
        lambda net: net.max_pool("input", kernel=(32, 32), stride=(1, 1), padding=(13,) * 4),
        "layer max_pool_0: kernel_height must be at most 31 on a dbpim chip, got 32",
    ),
    "wide padding": (
        lambda net: net.max_pool("input", kernel=(16, 16), stride=(1, 1), padding=(8,) * 4),
        "layer max_pool_0: padding must be at most 7 on a dbpim chip, got 8",
    ),
    "wide map": (
        lambda net: conv(net, bits=9),
        "layer conv_0: the output's bits must be 8 on a dbpim chip, got 9",
    ),
    "narrow map": (
        lambda net: conv(net, bits=7),
        "layer conv_0: the output's bits must be 8 on a dbpim chip, got 7",
    ),
    "wide weights": (
        lambda net: conv(net, weight_bits=9),
        "layer conv_0: weight_bits must be at most 8 on a dbpim chip, got 9",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_sentence(case: str) -> None:
    fill, message = CASES[case]
    with pytest.raises(CompileError) as error:
        compile_network(drawn(fill), SMALL)
    if message.endswith("one of"):
        assert message in str(error.value) and str(error.value).endswith(f"got {case}")
    else:
        assert str(error.value) == message
    assert "\n" not in str(error.value)


def test_modes() -> None:
    with pytest.raises(CompileError) as error:
        compile_network(draw_every_operation(0), SMALL)
    assert str(error.value) == (
        "the modes of a network must be one on a dbpim chip, got 3 (1.0x, 0.6x, 0.3x)"
    )


def test_an_answer_that_is_not_raw() -> None:
    with pytest.raises(CompileError) as error:
        compile_network(drawn(conv, raw=False), SMALL)
    assert str(error.value) == (
        "the output must be the last layer alone, with raw sums of 1 x 1 pixel on a dbpim chip,"
        " got conv_0 (6 x 6 x 4, 8 bits)"
    )


def test_several_outputs() -> None:
    network = directed("pools")
    graph = replace(network.graph, outputs=(network.answer, network.layers[0].name))
    with pytest.raises(CompileError, match="the output must be the last layer alone"):
        compile_network(replace(network, graph=graph), SMALL)


def test_narrow_weights_of_either_grid_run() -> None:
    for grid, bits in (("odd", 1), ("odd", 2), ("integer", 2)):
        network = drawn(lambda net, g=grid, b=bits: conv(net, weight_grid=g, weight_bits=b))
        fitting = replace(
            network, parameters={**network.parameters, "linear_1": few_digits(network)}
        )
        assert compile_network(fitting, SMALL).facts.layers[0].name == "conv_0"


def few_digits(network: QuantizedNetwork) -> Any:
    """Return the head's integers with weights of one digit."""
    head = network.parameters["linear_1"]
    return replace(head, weights=(head.weights * 0 + 4).astype(head.weights.dtype))
