"""A network that no cut makes fit is refused before any cut is tried, each layer at once."""

from dataclasses import replace

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import compile as compiling
from hwgen.dbpim.compiler import room, weights
from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.compiler.lower import lower
from hwgen.errors import CompileError, RefusedNodesError
from hwgen.network import INPUT, Conv, QuantizedNetwork
from tests.dbpim.compiler.archs import SMALL
from tests.dbpim.compiler.executor import execute
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_network import draw_recipe, random_images, random_network

SIZES = (64, 128, 256)
WIDE = 240
"""Channels of the widest maps of MobileNetV3 whose gates average 14 x 14 pixels."""


def points(filters: int, inputs: int) -> np.ndarray:
    """Return filters of 1 x 1 with weights of one digit."""
    return np.where((np.arange(filters)[:, None] + np.arange(inputs)) % 3, 1, -2).astype(np.int8)


def gated(*, gates: int) -> QuantizedNetwork:
    """Return the middle of a MobileNetV3: wide maps, each gated by its mean over all pixels."""
    net = NetworkBuilder(name="gated", shape=(14, 14, 8), seed=1)
    now = INPUT
    for _ in range(gates):
        wide = net.conv(now, points(WIDE, 8), kernel=(1, 1), padding=0)
        deep = net.depthwise(wide, np.ones((WIDE, 9), np.int8))
        now = net.multiply(deep, net.global_pool(deep))
        now = net.conv(now, points(8, WIDE), kernel=(1, 1), padding=0)
    net.linear(net.global_pool(now), np.ones((2, 8), np.int8), head=True)
    return net.build()


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the search fail the test."""

    def search(*_: object, **__: object) -> None:
        raise AssertionError("the search has begun")

    monkeypatch.setattr(compiling, "unit_steps", search)
    monkeypatch.setattr(weights, "filter_groups", search)


@pytest.mark.promise(
    "a network that no cut makes fit is refused before any cut is tried, with all layers in the way"
)
def test_every_layer_that_never_fits_is_named_before_the_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forbid(monkeypatch)
    with pytest.raises(RefusedNodesError) as error:
        compile_network(gated(gates=2), SMALL)
    assert error.value.sentences == tuple(
        f"layer {name}: a row of its output and the rows that it reads must fit the activation"
        " buffer, at most 512 words a bank, got 690: `buffer_bytes: 16384` has them"
        for name in ("average_pool_2", "average_pool_7")
    )
    with pytest.raises(CompileError, match=r"^layer average_pool_2: a row of its output"):
        compile_network(gated(gates=1), SMALL)


@pytest.mark.parametrize(("channels", "fits"), [(64, True), (72, False)])
def test_an_answer_in_bytes_fits_the_logit_buffer(channels: int, fits: bool) -> None:
    net = NetworkBuilder(name="bytes", shape=(3, 3, 8), seed=1)
    net.conv(INPUT, points(channels, 8), kernel=(1, 1), padding=0)
    network = net.build()
    if fits:
        compile_network(network, SMALL)
        return
    with pytest.raises(CompileError) as error:
        compile_network(network, SMALL)
    assert str(error.value) == (
        "layer conv_0: pixels of the answer must fit the logit buffer in whole beats, at most"
        " 64 bytes, got 72"
    )


def test_what_is_refused_early_has_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search, asked all the same, finds none; what it finds is never refused early."""
    monkeypatch.setattr(compiling, "collect_room", lambda *_: None)
    seen = set()
    for seed in range(24):
        network = random_network(draw_recipe(seed), seed=seed)
        for size in SIZES:
            arch = replace(SMALL, buffer_bytes=size, logit_entries=256)
            early = bool(list(room.refusals(lower(network, arch), arch)))
            try:
                compile_network(network, arch)
                late = False
            except (CompileError, RefusedNodesError) as error:
                assert "must fit the activation buffer" in str(error)
                late = True
            assert late or not early, (seed, size)
            seen.add((early, late))
    assert {(True, True), (False, False)} <= seen


@pytest.mark.promise("a map whose pixels do not fit the logit buffer is made and read in one unit")
def test_a_map_too_deep_for_the_logit_buffer_stays_in_the_buffers() -> None:
    """Its pixel of 72 channels never leaves: it is made and read in one unit."""
    net = NetworkBuilder(name="deep", shape=(16, 16, 8), seed=1)
    narrow = net.conv(INPUT, points(8, 72), padding=1)
    deep = net.conv(narrow, points(72, 8), kernel=(1, 1), padding=0)
    again = net.conv(deep, points(8, 72), kernel=(1, 1), padding=0)
    net.linear(net.global_pool(again), np.ones((2, 8), np.int8), head=True)
    network, arch = net.build(), replace(SMALL, buffer_bytes=2048)
    program = compile_network(network, arch)
    units = [step.name for step in program.facts.steps if step.op == "load"]
    assert len(units) > 1 and not any("conv_1" in name for name in units)
    given = random_images(network, 1, seed=1)
    np.testing.assert_array_equal(
        execute(program, arch, given).answers, infer(network, given)[network.answer]
    )


def test_roundings_are_named_with_what_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch)
    network = gated(gates=1)
    with pytest.raises(CompileError) as room_alone:
        compile_network(network, SMALL)
    layers = [
        replace(layer, rounding="float32") if isinstance(layer, Conv) else layer
        for layer in network.layers
    ]
    other = replace(network, graph=replace(network.graph, layers=layers))
    with pytest.raises(RefusedNodesError) as error:
        compile_network(other, SMALL)
    *roundings, last = error.value.sentences
    assert last == str(room_alone.value)
    assert len(roundings) > 1 and all("rounding must be half_up" in each for each in roundings)
