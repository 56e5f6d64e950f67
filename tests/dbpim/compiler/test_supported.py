"""What a network may hold and a DB-PIM chip does not run: one sentence, before anything else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.errors import CompileError, RefusedNodesError
from hwgen.network import QuantizedNetwork
from hwgen.network.check import check_network
from tests.dbpim.compiler.archs import SMALL
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


CASES: dict[str, tuple[Fill, str]] = {
    "kernel": (
        lambda net: net.max_pool("input", kernel=(128, 128), stride=(1, 1), padding=(61,) * 4),
        "layer max_pool_0: kernel_height must be at most 127 on a dbpim chip, got 128",
    ),
    "wide padding": (
        lambda net: net.max_pool("input", kernel=(17, 17), stride=(1, 1), padding=(16,) * 4),
        "layer max_pool_0: padding_top must be at most 15 on a dbpim chip, got 16",
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


@pytest.mark.promise("a network that a chip cannot run is refused in one sentence")
@pytest.mark.parametrize("case", CASES)
def test_one_sentence(case: str) -> None:
    fill, message = CASES[case]
    with pytest.raises((CompileError, RefusedNodesError)) as error:
        compile_network(drawn(fill), SMALL)
    lines = str(error.value).splitlines()
    assert message == lines[0] if len(lines) == 1 else message in lines[1:]


def test_modes() -> None:
    """Among all else that a network of every operation has for other chips."""
    with pytest.raises(RefusedNodesError) as error:
        compile_network(draw_every_operation(0), SMALL)
    assert error.value.sentences[0] == (
        "the modes of a network must be one on a dbpim chip, got 3 (1.0x, 0.6x, 0.3x)"
    )


def test_raw_sums_that_nobody_reads() -> None:
    network = directed("pools")
    graph = replace(network.graph, outputs=(network.layers[0].name,))
    with pytest.raises(CompileError, match="raw sums must be an output on a dbpim chip"):
        compile_network(replace(network, graph=graph), SMALL)


def test_narrow_weights_of_either_grid_run() -> None:
    for grid, bits in (("odd", 1), ("odd", 2), ("integer", 2)):
        network = drawn(lambda net, g=grid, b=bits: conv(net, weight_grid=g, weight_bits=b))
        fitting = replace(
            network, parameters={**network.parameters, "linear_1": few_digits(network)}
        )
        assert compile_network(fitting, SMALL).facts.steps[1].layer == "conv_0"


def few_digits(network: QuantizedNetwork) -> Any:
    """Return the head's integers with weights of one digit."""
    head = network.parameters["linear_1"]
    return replace(head, weights=(head.weights * 0 + 4).astype(head.weights.dtype))


def test_all_that_stands_in_the_way_is_said_at_once() -> None:
    """A kernel and paddings of one layer: four lines."""
    fill, _ = CASES["kernel"]
    with pytest.raises(RefusedNodesError) as error:
        compile_network(drawn(fill), SMALL)
    named = [line.split(": ")[1].split()[0] for line in error.value.sentences]
    assert named == ["kernel_height", "kernel_width", "padding_top", "padding_left"]
