"""Which additions a convolution computes, and which are a step of their own."""

import numpy as np
import pytest

from hwgen.dbpim.compiler import compile_network
from hwgen.network import INPUT
from tests.dbpim.compiler.archs import SMALL
from verif.dbpim.network_builder import NetworkBuilder

CHANNELS = 8


def network() -> NetworkBuilder:
    return NetworkBuilder(name="sums", shape=(4, 4, CHANNELS), seed=1)


def conv(net: NetworkBuilder, source: str, side: int) -> str:
    """Append a convolution of CHANNELS filters."""
    weights = np.full((CHANNELS, side * side * CHANNELS), 3, np.int8)
    return net.conv(source, weights, kernel=(side, side), padding=side // 2)


def steps(net: NetworkBuilder, last: str) -> dict[str, tuple[str, list[str], list[str]]]:
    """Return of each step of a sum or a convolution its layer, fused layers and inputs."""
    net.linear(last, np.full((2, 16 * CHANNELS), 3, np.int8), head=True)
    plans = compile_network(net.build(), SMALL).facts.steps
    return {
        plan.name: (plan.layer, plan.fused, plan.inputs)
        for plan in plans
        if plan.op in ("add", "conv")
    }


def test_the_convolution_before_an_addition_computes_it() -> None:
    net = network()
    inner = conv(net, INPUT, 3)
    total = net.add(INPUT, inner)
    assert steps(net, total) == {inner: (total, [inner], [INPUT, INPUT])}


def test_of_two_convolutions_that_with_more_inputs_computes_it() -> None:
    """The other one comes first, although the network has it behind."""
    net = network()
    large, small = conv(net, INPUT, 3), conv(net, INPUT, 1)
    total = net.add(large, small)
    found = steps(net, total)
    assert list(found) == [small, large]
    assert found == {
        small: (small, [], [INPUT]),
        large: (total, [large], [INPUT, small]),
    }


@pytest.mark.promise(
    "an addition of a convolution that nothing else reads is computed while its results are written"
)
def test_a_map_with_another_reader_is_stored() -> None:
    net = network()
    shared = conv(net, INPUT, 3)
    total = net.add(shared, INPUT)
    both = net.multiply(total, shared)
    assert steps(net, both) == {
        shared: (shared, [], [INPUT]),
        total: (total, [], [shared, INPUT]),
    }


def test_sums_of_other_maps_are_steps() -> None:
    """No convolution is an input, or it is both of them."""
    net = network()
    pool = net.max_pool(INPUT, kernel=3, stride=1, padding=1)
    total = net.add(pool, INPUT)
    alone = conv(net, total, 1)
    twice = net.add(alone, alone)
    assert steps(net, twice) == {
        total: (total, [], [pool, INPUT]),
        alone: (alone, [], [total]),
        twice: (twice, [], [alone, alone]),
    }
