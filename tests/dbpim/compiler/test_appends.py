"""Decoders of one token a call: which of them a chip refuses, and what becomes of their caches."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.facts.arch import Arch, load_arch
from hwgen.errors import CompileError, RefusedNodesError
from hwgen.network import MatMul, QuantizedNetwork
from hwgen.network.check import check_network
from hwgen.network.decoding import decode
from tests.dbpim.compiler.archs import CONFIGS
from verif.dbpim.decoders import Decoders
from verif.dbpim.network_builder import SIGNED

ROWS = load_arch(CONFIGS / "small_rows.yaml")
WIDE_PORT = replace(ROWS, port_bits=128)
TOKENS = 8


def step(*, keys: str | None = None, values: int = 16) -> QuantizedNetwork:
    """Return one head of 8 channels, a token a call.

    keys: the map that they are, of a layer of their own otherwise; values: channels of a value
    """
    build = Decoders(name="head", shape=(TOKENS, 1, 8), seed=1, zero_point=128, images=4)
    read = build.dense("input", 8)
    key, value = keys or build.dense(read, 8), build.dense(read, values)
    scores = build.matmul(read, key, groups=1, transposed=True, output=SIGNED)
    shares = build.causal_softmax(scores, groups=1)
    mixed = build.matmul(shares, value, groups=1, transposed=False, output=SIGNED)
    build.dense(mixed, 16)
    return decode(build.build())


def read_before(network: QuantizedNetwork) -> QuantizedNetwork:
    """Return the network whose scores are of the cache as it was before the call."""
    layers: list[Any] = list(network.graph.layers)
    place = next(number for number, each in enumerate(layers) if isinstance(each, MatMul))
    query, cache = layers[place].inputs
    state = next(each.inputs[0] for each in layers if each.name == cache)
    layers[place] = replace(layers[place], inputs=(query, state))
    return replace(network, graph=replace(network.graph, layers=layers))


CASES: dict[str, tuple[Callable[[], QuantizedNetwork], Arch, str]] = {
    "half a beat": (
        lambda: step(values=8),
        WIDE_PORT,
        "layer conv_1.append: bytes of a pixel must be whole beats of 16 bytes on a dbpim chip,"
        " got 8",
    ),
    "unlike pixels": (
        step,
        ROWS,
        "layer conv_1.append: bytes of a pixel must be as many as of every append on a dbpim chip,"
        " got 8",
    ),
    "another reader": (
        lambda: read_before(step(values=8)),
        ROWS,
        "layer conv_1.append: readers of its state must be this append alone on a dbpim chip, got"
        " conv_1.append, matmul_3",
    ),
    "pixels of the image": (
        lambda: step(keys="input", values=8),
        ROWS,
        "layer input.append: new pixels must be computed by a layer on a dbpim chip, got input",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_sentence(case: str) -> None:
    make, arch, message = CASES[case]
    network = make()
    check_network(network, source=case)
    with pytest.raises((CompileError, RefusedNodesError)) as error:
        compile_network(network, arch)
    lines = str(error.value).splitlines()
    assert message == lines[0] if len(lines) == 1 else message in "\n".join(lines)


def test_a_cache_is_written_where_it_stands() -> None:
    """A layer is a pass or none, but no state is copied."""
    network = step(values=8)
    program = compile_network(network, ROWS)
    named = [each.layer for each in program.facts.steps]
    assert len(network.states) == 2
    assert not set(network.states).intersection(named)
