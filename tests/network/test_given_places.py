"""Constants of all tokens are channels of the image of a step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from golden.states import calls
from hwgen.errors import ConfigError
from hwgen.network import QuantizedNetwork
from hwgen.network.check import check_network
from hwgen.network.decoding import decode
from hwgen.network.given_places import with_constants_given
from hwgen.network.tokens import TokenRows
from verif.dbpim.decoders import DecoderShape, drawn_decoder

SHAPE = DecoderShape(blocks=2, width=16, heads=2, hidden=16, tokens=6)
IDS = np.random.default_rng(0).integers(0, 32, (1, SHAPE.tokens))


def changed(network: QuantizedNetwork, name: str, **fields: Any) -> QuantizedNetwork:
    """Return a network with other fields of a layer."""
    layers = [replace(each, **fields) if each.name == name else each for each in network.layers]
    return replace(network, graph=replace(network.graph, layers=layers))


def constants(network: QuantizedNetwork) -> list[str]:
    return [each.name for each in network.layers if each.op == "constant"]


def rows_of(network: QuantizedNetwork) -> TokenRows:
    assert network.token_rows is not None
    return network.token_rows


@pytest.mark.parametrize("seed", range(4))
def test_every_map_stays(seed: int) -> None:
    whole = drawn_decoder(seed, SHAPE, placed=True)
    given, step = with_constants_given(whole), decode(whole)
    for each in (given, step):
        check_network(each, source="places")
        assert not constants(each) and each.graph.input.channels == SHAPE.width * 4
    wanted = infer(whole, rows_of(whole).images(IDS, whole.graph.input, "ids"))
    found = infer(given, rows_of(given).images(IDS, given.graph.input, "ids"))
    assert len(constants(whole)) == 3
    for name, values in wanted.items():
        assert name == "input" or (found[name] == values).all(), name
    places = np.arange(SHAPE.tokens)[:, np.newaxis]
    stepped = calls(step, rows_of(step).images(IDS.T, step.graph.input, "ids", positions=places))
    assert (stepped[step.answer].ravel() == wanted[whole.answer].ravel()).all()


def test_equal_columns_are_one_channel() -> None:
    whole = drawn_decoder(1, SHAPE, placed=True)
    first, *others = constants(whole)
    same = whole.held[first]["map"][..., :2].repeat(SHAPE.width // 2, axis=2)
    whole = replace(
        whole, held={**whole.held, **{name: {"map": same} for name in constants(whole)}}
    )
    step = decode(whole)
    assert step.graph.input.channels == SHAPE.width + 2
    assert {step.parameters[name].weights.sum() for name in (first, *others)} == {SHAPE.width}


def test_rows_with_places_get_further_channels() -> None:
    whole = drawn_decoder(1, SHAPE, placed=True)
    rng = np.random.default_rng(3)
    rows, places = (
        rng.integers(-20_000, 20_000, (count, SHAPE.width), dtype=np.int16)
        for count in (32, SHAPE.tokens)
    )
    whole = replace(whole, token_rows=TokenRows(name="", rows=rows, places=places))
    given = with_constants_given(whole)
    first = rows_of(whole).images(IDS, whole.graph.input, "ids")
    assert (rows_of(given).images(IDS, given.graph.input, "ids")[..., : SHAPE.width] == first).all()
    tokens = first.reshape(SHAPE.tokens, -1)
    completed = rows_of(given).completed(tokens, given.graph.input)
    wanted = rows_of(given).images(IDS, given.graph.input, "ids")
    assert (completed == wanted.reshape(SHAPE.tokens, -1)).all()


def test_without_ids_a_constant_is_refused() -> None:
    whole = replace(drawn_decoder(1, SHAPE, placed=True), token_rows=None)
    with pytest.raises(ConfigError, match="in a decoder, got constant"):
        decode(whole)


@pytest.mark.promise("a step reads no token behind its own, or it is refused")
def test_scores_that_no_causal_softmax_reads_are_refused() -> None:
    whole = drawn_decoder(1, SHAPE)
    shares = next(each for each in whole.layers if each.op == "causal_softmax")
    mixed = next(each for each in whole.layers if shares.name in each.inputs)
    read = changed(whole, mixed.name, inputs=(shares.inputs[0], mixed.inputs[1]))
    shown = replace(whole, graph=replace(whole.graph, outputs=(shares.inputs[0],)))
    for each in (read, shown):
        with pytest.raises(
            ConfigError, match="must be behind a causal mask, where a decoder reads"
        ):
            decode(each)


def test_keys_that_are_constant_stay() -> None:
    whole = drawn_decoder(1, SHAPE, placed=True)
    first = constants(whole)[1]
    scores = next(each for each in whole.layers if each.op == "matmul")
    whole = changed(whole, scores.name, inputs=(scores.inputs[0], first))
    key = next(each for each in whole.layers if each.op == "multiply")
    whole = changed(whole, key.name, inputs=(key.inputs[0], key.inputs[0]))
    step = decode(whole)
    assert constants(step) == [first]
