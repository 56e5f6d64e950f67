"""Causal networks whole on RTL: all tokens at once, and call by call with what they keep."""

from pathlib import Path

import numpy as np
import pytest

from golden.states import Session, calls
from hwgen.dbpim.sim.chip_run import Call
from hwgen.network import QuantizedNetwork
from hwgen.network.decoding import decode, prefill
from tests.verif.dbpim.chips import check_chip, chip_arch
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


def test_a_prefill(tmp_path: Path) -> None:
    whole, tokens = drawn(1)
    first = prefill(decode(whole), 8)
    images = tokens[:, :8]
    check_chip(first, chip_arch("small_rows"), images, tmp_path, maps=calls(first, images))
