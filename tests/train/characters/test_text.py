"""Texts as numbers of characters, and bits a character."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import DataError
from hwgen.train.characters.text import (
    ALPHABET,
    CLASS_NAMES,
    bits_a_character,
    decode,
    read_text,
    windows,
)


def test_the_alphabet_has_64_characters_with_names_of_their_own() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == len(set(CLASS_NAMES)) == 64


def test_a_packed_text_is_the_plain_one_and_other_characters_are_spaces(tmp_path: Path) -> None:
    content = "She, 3 times,\r\nlaughed é".encode()
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "packed").write_bytes(gzip.compress(content))
    plain, packed = (read_text(tmp_path / name) for name in ("plain", "packed"))
    assert plain.sha256 == packed.sha256
    assert decode(packed.codes) == "She,   times,\nlaughed  "


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match="a text must be UTF-8"):
        read_text(tmp_path / "no")


def test_each_counted_character_is_counted_once() -> None:
    codes = np.arange(40, dtype=np.uint8)
    found = list(windows(codes, context=8, characters=12, at_once=2))
    counted = np.concatenate([wanted[:, 4:].ravel() for _, wanted in found])
    assert counted.tolist() == list(range(5, 17))


def test_a_model_that_knows_nothing_needs_six_bits() -> None:
    codes = np.arange(60, dtype=np.uint8)
    even = bits_a_character(
        codes, lambda given: np.zeros((*given.shape, 64)), context=8, characters=20
    )
    assert even == pytest.approx(6)
    sure = bits_a_character(
        codes, lambda given: 100 * np.eye(64)[given + 1], context=8, characters=20
    )
    assert sure == pytest.approx(0)
