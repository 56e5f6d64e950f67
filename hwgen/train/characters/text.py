"""Text as the numbers of its characters, and the windows that a language model is judged by.

Tests: `tests/train/characters/test_text.py`.
"""

import gzip
import hashlib
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import DataError

ALPHABET = "\n " + string.ascii_lowercase + string.ascii_uppercase + ",.;'\"-!?:_"
"""The 64 characters that a model knows, by their numbers."""
SPACE = ALPHABET.index(" ")
CLASS_NAMES = tuple({"\n": "newline", " ": "space"}.get(each, each) for each in ALPHABET)
"""The characters as the classes of a network file: a class has a name that can be seen."""
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Text:
    """A text: the sha256 of its bytes, unpacked, and the numbers of its characters, uint8."""

    sha256: str
    codes: NDArray[np.uint8]


def content_of(path: Path) -> tuple[bytes, str]:
    """Return the bytes and the letters of a file of UTF-8, packed by gzip or not.

    Errors: DataError if the file cannot be read, or is no UTF-8
    """
    try:
        content = path.read_bytes()
        if content.startswith(GZIP):
            content = gzip.decompress(content)
        return content, content.decode("utf-8").replace("\r\n", "\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"a text must be UTF-8, plain or packed by gzip, got {reason} ({path})"
        ) from None


def read_text(path: Path) -> Text:
    """Return the text of a file of UTF-8, packed by gzip or not.

    A character outside the alphabet is a space.
    Errors: DataError if the file cannot be read, or is no UTF-8
    """
    content, lines = content_of(path)
    numbers = {letter: number for number, letter in enumerate(ALPHABET)}
    codes = np.fromiter((numbers.get(letter, SPACE) for letter in lines), np.uint8, len(lines))
    return Text(hashlib.sha256(content).hexdigest(), codes)


def encode(text: str, *, source: str) -> NDArray[np.uint8]:
    """Return the numbers of characters; one outside the alphabet is refused."""
    for letter in text:
        if letter not in ALPHABET:
            raise DataError(
                f"a {source} must be of the characters a-z, A-Z, space, newline and "
                f"{ALPHABET[-10:]}, got {letter!r}"
            )
    return np.array([ALPHABET.index(letter) for letter in text], np.uint8)


def decode(codes: NDArray[Any]) -> str:
    """Return the characters of numbers."""
    return "".join(ALPHABET[int(code)] for code in codes)


def windows(
    codes: NDArray[np.uint8], *, context: int, characters: int, at_once: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield windows (n, context) and what comes behind each of their characters, likewise.

    Each begins half a window behind the one before; the second half of each is counted, so that
    every character that is counted has at least half a window before it.
    characters: that are counted, whole windows
    """
    stride = context // 2
    count = min(characters // stride, (len(codes) - context - 1) // stride + 1)
    places = np.arange(count)[:, np.newaxis] * stride + np.arange(context + 1)
    for first in range(0, count, at_once):
        part = codes[places[first : first + at_once]].astype(np.int64)
        yield part[:, :-1], part[:, 1:]


def bits_a_character(
    codes: NDArray[np.uint8],
    logits: Callable[[NDArray[np.int64]], NDArray[Any]],
    *,
    context: int,
    characters: int,
    at_once: int = 32,
) -> float:
    """Return the mean of -log2 of the share that a model gives to the character that comes.

    logits: returns natural logarithms (n, context, characters of the alphabet), up to a constant,
        of windows (n, context)
    """
    total, counted = 0.0, 0
    half = context // 2
    for given, wanted in windows(codes, context=context, characters=characters, at_once=at_once):
        found = np.asarray(logits(given), np.float64)[:, half:]
        found -= found.max(axis=2, keepdims=True)
        right = np.take_along_axis(found, wanted[:, half:, np.newaxis], axis=2)[..., 0]
        surprise = np.log(np.exp(found).sum(axis=2)) - right
        total, counted = total + float(surprise.sum()), counted + surprise.size
    return total / counted / float(np.log(2))
