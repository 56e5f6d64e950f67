"""One causal network as all tokens at once, and as one token a call."""

from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from golden.states import Session, calls
from hwgen.errors import ConfigError
from hwgen.network import QuantizedNetwork
from hwgen.network.append import pixels_of
from hwgen.network.check import check_network
from hwgen.network.decoding import decode, prefill
from hwgen.network.file import load_network, save_network
from verif.dbpim.decoders import drawn_decoder, drawn_shape


def drawn(seed: int) -> tuple[QuantizedNetwork, np.ndarray]:
    """Return a drawn decoder of all tokens, and its tokens (1, tokens, 1, width)."""
    rng = np.random.default_rng(seed)
    whole = drawn_decoder(seed, drawn_shape(rng))
    return whole, rng.integers(0, 256, (1, *whole.graph.input.shape), dtype=np.uint8)


def rows_of(network: QuantizedNetwork) -> list[str]:
    """Return the layers that have one pixel a token."""
    return [layer.name for layer in network.layers if pixels_of(layer.output) == 1]


def row(values: np.ndarray, place: int, like: np.ndarray) -> np.ndarray:
    """Return the pixel of a token of the whole."""
    return values.reshape(-1, values.shape[-1])[place].reshape(like.shape)


@pytest.mark.dear("8")
@pytest.mark.promise("row p of a causal network of all tokens equals call p of its step")
@pytest.mark.parametrize("seed", range(20))
def test_row_p_of_the_whole_is_call_p(seed: int) -> None:
    whole, tokens = drawn(seed)
    step = decode(whole)
    check_network(step, source="step")
    together = infer(whole, tokens)
    found = calls(step, tokens[0][:, np.newaxis])
    scores = {each.inputs[0] for each in step.layers if each.op == "causal_softmax"}
    names = rows_of(step)
    assert len(names) > 10
    for name in names:
        wanted = together[name].reshape(found[name].shape)
        if name in scores:
            # Scores of keys behind the position are those of what a cache holds there.
            positions = step.graph.positions
            counts = np.tril(np.ones((positions, positions), bool))
            groups = wanted.shape[-1] // positions
            counts = np.tile(counts, (1, groups)).reshape(wanted.shape)
            assert (wanted == found[name])[counts].all()
        else:
            assert (wanted == found[name]).all(), name


@pytest.mark.parametrize("seed", range(4))
def test_a_prefill_then_calls_are_the_calls_from_the_beginning(seed: int) -> None:
    whole, tokens = drawn(seed)
    step = decode(whole)
    count = step.graph.positions // 2
    first = prefill(step, count)
    check_network(first, source="prefill")
    alone, after = Session(step), Session(step)
    images = tokens[0][:, np.newaxis]
    before = [alone.step(image[np.newaxis]) for image in images[:count]]
    made = Session(first).step(tokens[:, :count])
    for name in rows_of(step):
        if made[name].shape[-1] == before[0][name].shape[-1]:
            for place, maps in enumerate(before):
                assert (row(made[name], place, maps[name]) == maps[name]).all()
    after.states = {name: made[state.next] for name, state in step.states.items()}
    after.position = count
    for image in images[count:]:
        one, other = alone.step(image[np.newaxis]), after.step(image[np.newaxis])
        assert all((one[name] == other[name]).all() for name in step.graph.outputs)


@pytest.mark.promise("a call of several tokens at a position equals calls of one token each")
@pytest.mark.parametrize("seed", range(4))
def test_a_call_of_several_tokens_is_several_calls(seed: int) -> None:
    """Each call begins one token behind the one before: what it knew of the others is new."""
    whole, tokens = drawn(seed)
    step = decode(whole)
    count = min(3, step.graph.positions)
    several = decode(step, tokens=count)
    check_network(several, source="several")
    assert several.digest == decode(whole, tokens=count).digest
    alone, together = Session(step), Session(several)
    rng, images = np.random.default_rng(seed), tokens[0][:, np.newaxis]
    assert several.starts == step.graph.positions - count + 1
    for place in range(several.starts):
        one = alone.step(images[place][np.newaxis])
        drafts = rng.integers(0, 256, tokens[:, :count].shape, dtype=np.uint8)
        drafts[:, 0] = tokens[:, place]
        found = together.step(drafts, place)
        for name in step.graph.outputs:
            assert (row(found[name], 0, one[name]) == one[name]).all()
    place, last = several.starts - 1, together.step(tokens[:, -count:], several.starts - 1)
    for later in range(count):
        one = alone.step(images[place + later][np.newaxis], place + later)
        for name in step.graph.outputs:
            assert (row(last[name], later, one[name]) == one[name]).all()


def test_tokens_a_call_beyond_the_positions_are_refused() -> None:
    whole, _ = drawn(1)
    step = decode(whole)
    for given in (0, step.graph.positions + 1):
        with pytest.raises(ConfigError, match="tokens must be from 1 to the"):
            decode(step, tokens=given)
    most = Session(decode(step, tokens=2))
    with pytest.raises(ValueError, match=f"from 0 to {step.graph.positions - 2}, got"):
        most.step(np.zeros((1, *most.network.graph.input.shape), np.uint8), step.graph.positions)


def test_what_stands_behind_the_position_does_not_matter() -> None:
    whole, tokens = drawn(3)
    step = decode(whole)
    clean, dirty = Session(step), Session(step)
    rng = np.random.default_rng(0)
    dirty.states = {
        name: rng.integers(0, 256, each.shape, dtype=np.uint8)
        for name, each in dirty.states.items()
    }
    for image in tokens[0][:, np.newaxis]:
        one, other = clean.step(image[np.newaxis]), dirty.step(image[np.newaxis])
        assert all((one[name] == other[name]).all() for name in step.graph.outputs)


def test_a_step_is_a_file_of_version_6(tmp_path: Path) -> None:
    whole, _ = drawn(1)
    step = decode(whole)
    assert step.graph.version == 6
    save_network(step, tmp_path / "step.npz")
    again = load_network(tmp_path / "step.npz")
    assert again.digest == step.digest
    assert again.graph.positions == whole.graph.input.height


def test_a_position_outside_is_refused() -> None:
    whole, tokens = drawn(1)
    session = Session(decode(whole))
    most = whole.graph.input.height - 1
    with pytest.raises(ValueError, match=f"the position must be from 0 to {most}, got {most + 1}"):
        session.step(tokens[:, :1], position=most + 1)


def test_a_prefill_beyond_the_positions_is_refused() -> None:
    whole, _ = drawn(1)
    with pytest.raises(ConfigError, match="tokens must be from 1 to the"):
        prefill(decode(whole), 1000)
