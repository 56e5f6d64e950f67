"""Causal networks whole on RTL: all tokens at once, and call by call with what they keep."""

from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from golden.states import Session, calls
from hwgen.dbpim.compiler import unstored
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.sim import simulate
from hwgen.dbpim.sim.chip_run import Call
from hwgen.network import QuantizedNetwork
from hwgen.network.decoding import decode, prefill
from hwgen.network.padded_heads import with_heads_padded
from tests.verif.dbpim.chips import check_chip, chip_arch, compiled
from verif.dbpim.decoders import DecoderShape, drawn_decoder

SMALL = DecoderShape(blocks=2, width=32, heads=2, hidden=64, tokens=16)


def drawn(seed: int, shape: DecoderShape = SMALL) -> tuple[QuantizedNetwork, np.ndarray]:
    """Return a decoder of all tokens, and tokens (1, tokens, 1, width)."""
    whole = drawn_decoder(seed, shape)
    size = (1, *whole.graph.input.shape)
    return whole, np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


@pytest.mark.dear
@pytest.mark.promise("a causal network of all tokens runs on the chip as golden computes it")
def test_all_tokens_at_once(tmp_path: Path) -> None:
    whole, tokens = drawn(1)
    check_chip(whole, chip_arch("small_rows"), tokens, tmp_path)


@pytest.mark.promise("a decoder runs call by call on the chip, in the cycles that the model says")
def test_sixteen_calls(tmp_path: Path) -> None:
    whole, tokens = drawn(1)
    step, images = decode(whole), tokens[0][:, np.newaxis]
    check_chip(step, chip_arch("small_rows"), images, tmp_path, maps=calls(step, images))


@pytest.mark.promise(
    "constants of all tokens are read at the position, and heads of six channels are padded, on the"
    " chip as in the whole"
)
def test_places_of_tokens(tmp_path: Path) -> None:
    shape = DecoderShape(blocks=1, width=24, heads=4, hidden=16, tokens=8)
    whole = with_heads_padded(drawn_decoder(2, shape, placed=True), 8)
    step, ids = decode(whole), np.random.default_rng(2).integers(0, 32, (1, 8))
    assert whole.token_rows is not None and step.token_rows is not None
    places, image = np.arange(8)[:, np.newaxis], step.graph.input
    images = step.token_rows.images(ids.T, image, "ids", positions=places)
    maps = calls(step, images)
    of_all = infer(whole, whole.token_rows.images(ids, whole.graph.input, "ids"))
    assert (maps[step.answer].ravel() == of_all[whole.answer].ravel()).all()
    check_chip(step, chip_arch("small_rows"), images, tmp_path, maps=maps)


@pytest.mark.promise("the cycle model knows the position: where a row of a cache crosses 4 KiB")
def test_a_row_across_a_page(tmp_path: Path) -> None:
    """Pixels of 24 bytes: that of position 170 begins 16 bytes before a page ends."""
    whole, tokens = drawn(1, DecoderShape(blocks=1, width=24, heads=1, hidden=24, tokens=192))
    step, places = decode(whole), (169, 170, 171)
    images, session = tokens[0][list(places), np.newaxis], Session(step)
    found = [
        session.step(image[np.newaxis], place) for image, place in zip(images, places, strict=True)
    ]
    maps = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    arch, turns = chip_arch("small_rows"), [Call(position=place) for place in places]
    check_chip(step, arch, images, tmp_path, maps=maps, calls=turns)


@pytest.mark.promise(
    "programs of several tokens a call and of one share the states on the chip; drafts that are"
    " thrown away are written over"
)
def test_programs_of_several_tokens_and_of_one(tmp_path: Path) -> None:
    """A stream of 16 tokens: calls of 4 whose last tokens are wrong, and of 1 at the end."""
    whole, tokens = drawn(1)
    arch, rng = chip_arch("small_rows"), np.random.default_rng(0)
    steps = [decode(whole, tokens=count) for count in (4, 1)]
    programs = [compiled(each, arch) for each in steps]
    sessions = [Session(each) for each in steps]
    right = calls(steps[1], tokens[0][:, np.newaxis])[steps[1].answer]
    turns = [Call(position=place) for place in (0, 4, 5, 7, 10, 12)]
    turns += [Call(position=place, program=1) for place in (13, 14, 15)]
    images, found = [], []
    for turn, after in zip(turns, [*turns[1:], Call(position=16)], strict=True):
        session, end = sessions[turn.program], turn.position + (4, 1)[turn.program]
        image = tokens[0, turn.position : end].copy()
        image[after.position - turn.position :] = rng.integers(0, 256)
        found.append(session.step(image[np.newaxis], turn.position))
        answer = found[-1][steps[0].answer][0, : after.position - turn.position]
        assert (answer == right[turn.position : after.position, 0]).all()
        sessions[1 - turn.program].states = session.states
        images.append(image)
    runs = simulate(arch, programs[0], images, calls=turns, others=programs[1:])
    for run, turn, maps in zip(runs, turns, found, strict=True):
        program, step = programs[turn.program], steps[turn.program]
        wanted = CycleModel(program, arch).predict(maps, position=turn.position)
        assert run.cycles == wanted.cycles and run.events == wanted.events
        for name in set(maps) - set(unstored(step, program, arch)):
            assert (run.maps[0][name] == maps[name][0]).all(), name


def test_a_prefill(tmp_path: Path) -> None:
    whole, tokens = drawn(1)
    first = prefill(decode(whole), 8)
    images = tokens[:, :8]
    check_chip(first, chip_arch("small_rows"), images, tmp_path, maps=calls(first, images))
