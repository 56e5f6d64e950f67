"""States, appends, rows and positions: what a file must say, and what golden computes of it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from golden.states import Session, calls
from hwgen.errors import FormatError
from hwgen.network import QuantizedNetwork
from hwgen.network.check import check_network
from hwgen.network.decoding import decode
from verif.dbpim.decoders import drawn_decoder, drawn_shape
from verif.dbpim.recurrent import NETWORKS, gru, streaming

STEP = decode(drawn_decoder(1, drawn_shape(np.random.default_rng(1))))
STREAM = streaming(1)


def first(network: QuantizedNetwork, op: str) -> Any:
    """Return the first layer of a kind."""
    return next(layer for layer in network.layers if layer.op == op)


def changed(network: QuantizedNetwork, layer: Any, **keys: Any) -> QuantizedNetwork:
    """Return a network with other keys of one layer."""
    layers = [replace(each, **keys) if each is layer else each for each in network.layers]
    return replace(network, graph=replace(network.graph, layers=layers))


def positions(network: QuantizedNetwork, count: int) -> QuantizedNetwork:
    """Return a network of other positions."""
    return replace(network, graph=replace(network.graph, positions=count))


def appended_twice(network: QuantizedNetwork) -> QuantizedNetwork:
    """Return a network whose first append is followed by one of the same pixels."""
    once = first(network, "append")
    twice = replace(once, name="twice", inputs=(once.name, once.inputs[1]))
    place = network.layers.index(once) + 1
    layers = [*network.layers[:place], twice, *network.layers[place:]]
    return replace(network, graph=replace(network.graph, layers=layers))


WRONG: list[tuple[Callable[[], QuantizedNetwork], str]] = [
    (
        lambda: changed(STREAM, first(STREAM, "state"), next="nobody"),
        "state_0.next must be the name of a layer that is no state, got nobody",
    ),
    (
        lambda: changed(STREAM, first(STREAM, "state"), next="state_4"),
        "state_0.next must be the name of a layer that is no state, got state_4",
    ),
    (
        lambda: changed(STREAM, first(STREAM, "state"), next="rows_6"),
        "state_0.next must be a map of shape (1, 4, 8), got (2, 4, 16)",
    ),
    (
        lambda: changed(STREAM, first(STREAM, "rows"), first=3),
        "rows_2 rows must be within the 3 rows of the input, got 3 to 3",
    ),
    (lambda: positions(STREAM, 4), "positions must be at least 1 where a layer needs the position"),
    (lambda: positions(STEP, 0), "positions must be at least 1 where a layer needs the position"),
    (
        lambda: positions(STEP, STEP.graph.positions + 1),
        f"must be at least the {STEP.graph.positions + 1} positions",
    ),
    (
        lambda: appended_twice(STEP),
        "inputs must be first a state whose `next` it is",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_what_contradicts_the_kind_is_refused(
    change: Callable[[], QuantizedNetwork], sentence: str
) -> None:
    with pytest.raises(FormatError) as error:
        check_network(change(), source="here")
    assert sentence in str(error.value)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_session_keeps_what_next_made_and_a_reset_forgets_it(name: str) -> None:
    network = NETWORKS[name](3)
    size = (4, *network.graph.input.shape)
    images = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    session = Session(network)
    made = [session.step(image[np.newaxis]) for image in images]
    for before, after in pairwise(made):
        for state in network.states.values():
            assert (after[state.name] == before[state.next]).all()
    session.reset()
    again = session.step(images[:1])
    assert all((again[key] == made[0][key]).all() for key in again)
    assert any((made[1][key] != made[0][key]).any() for key in network.states)


def test_streams_side_by_side_are_sessions_of_their_own() -> None:
    network = gru(4)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 1, 1, 64), dtype=np.uint8)
    both = Session(network, streams=2)
    together = [both.step(images[:, call]) for call in range(3)]
    for stream in range(2):
        alone = calls(network, images[stream])
        for call, maps in enumerate(together):
            assert all((maps[key][stream] == alone[key][call]).all() for key in maps)


@pytest.mark.promise("a streaming network of calls is the network of all its frames at once")
def test_a_stream_is_the_sequence_of_all_frames() -> None:
    network, count = STREAM, 6
    frames = np.random.default_rng(0).integers(0, 256, (count, 2, 4, 8), dtype=np.uint8)
    found = calls(network, frames)
    conv = first(network, "conv")
    state = first(network, "state")
    whole = np.concatenate([network.held[state.name]["map"], *frames])[np.newaxis]
    layer = replace(conv, output=replace(conv.output, height=count), inputs=("input",))
    sequence = replace(network.graph.input, height=len(whole[0]))
    alone = replace(
        network,
        graph=replace(
            network.graph, version=3, input=sequence, layers=[layer], outputs=("conv_3",)
        ),
        held={},
    )
    from golden.network import infer

    rows = infer(alone, whole)["conv_3"][0]
    assert (rows[:, np.newaxis] == found["conv_3"]).all()
