"""Texts as numbers of tokens: the letters that classes name, or the tokenizer of a user's file.

Tests: `tests/network/test_vocabulary.py`.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import FormatError, HwgenError
from hwgen.files.given import read_given
from hwgen.network.graph import QuantizedNetwork
from hwgen.network.maps import Complaint

MOST_BYTES = 1 << 26
"""Of the file of a tokenizer."""
BEGIN, END, FIRST_BYTE, LAST_BYTE = 1, 2, 3, 258
"""Numbers of llama2.c: begin and end of a text, and the pieces of one byte each."""
ALLOWED = "a tokenizer.json, or a file of llama2.c: pieces with scores"
RAW = re.compile(rb"<0x([0-9A-F]{2})>")
NAMES = {"newline": "\n", "space": " "}
"""Letters whose classes have names that can be seen."""


class Vocabulary(Protocol):
    """What the tokens of a network stand for; ends: tokens that end a text."""

    @property
    def ends(self) -> frozenset[int]: ...

    @property
    def size(self) -> int:
        """Tokens that it has."""

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, with that which begins a text, if there is one."""

    def known(self, text: str) -> NDArray[np.int64]:
        """Return the tokens of a long text in which drafts are counted, -1 for an unknown one."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens; bytes that are no UTF-8 become the replacement character."""


class UnknownLetterError(HwgenError):
    """A letter that a network does not know."""

    def __init__(self, letters: Sequence[str], letter: str) -> None:
        shown = "".join(letters).replace("\n", "")
        self.allowed, self.letter = f"of newlines and of the characters {shown}", letter
        super().__init__(f"a text must be {self.allowed}, got {letter}")


class Letters:
    """A token for each letter."""

    ends: frozenset[int] = frozenset()

    def __init__(self, names: Sequence[str]) -> None:
        self.letters = [NAMES.get(name, name) for name in names]
        self.size = len(names)
        self._codes = {letter: code for code, letter in enumerate(self.letters)}

    def encode(self, text: str) -> list[int]:
        """Return the numbers of letters; raise UnknownLetterError for another one."""
        for letter in text:
            if letter not in self._codes:
                raise UnknownLetterError(sorted(self.letters), letter)
        return [self._codes[letter] for letter in text]

    def known(self, text: str) -> NDArray[np.int64]:
        """Return the numbers of letters, -1 of others."""
        return np.array([self._codes.get(letter, -1) for letter in text], np.int64)

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the letters."""
        return "".join(self.letters[token] for token in tokens)


class Pieces:
    """Pieces with scores, as a file of llama2.c has them: the two that score best become one.

    The file: int32, then for each piece float32, int32 and so many bytes, little endian.
    """

    ends = frozenset((BEGIN, END))

    def __init__(self, content: bytes) -> None:
        self.pieces, scores, at = list[bytes](), list[float](), 4
        while at < len(content):
            score, length = struct.unpack_from("<fi", content, at)
            at += 8 + length
            if length < 0 or at > len(content):
                raise struct.error
            self.pieces.append(content[at - length : at])
            scores.append(score)
        self.size = len(self.pieces)
        if self.size <= LAST_BYTE:
            raise struct.error
        self._numbers = {piece: number for number, piece in enumerate(self.pieces)}
        self._scores = scores
        self._word = lru_cache(1 << 16)(self._joined)

    def encode(self, text: str) -> list[int]:
        """Return the pieces, behind the begin of a text and a space."""
        return [BEGIN, *self._joined(f" {text}")]

    def known(self, text: str) -> NDArray[np.int64]:
        """Return the pieces, each word joined alone."""
        words = re.split(r"(?= )", text)
        return np.array([number for word in words for number in self._word(word)], np.int64)

    def _joined(self, text: str) -> tuple[int, ...]:
        """Return the pieces of a text, joined as long as two have a number together."""
        found: list[int] = []
        for letter in text:
            raw = letter.encode()
            known = self._numbers.get(raw)
            found += [FIRST_BYTE + byte for byte in raw] if known is None else [known]
        while True:
            pairs = (
                (self._scores[number], -place, number)
                for place in range(len(found) - 1)
                if (number := self._number(found[place], found[place + 1])) is not None
            )
            best = max(pairs, default=None)
            if best is None:
                return tuple(found)
            found[-best[1] : 2 - best[1]] = [best[2]]

    def _number(self, first: int, second: int) -> int | None:
        return self._numbers.get(self.pieces[first] + self.pieces[second])

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text; the space that begins a text is left out behind its begin."""
        found = b""
        for place, token in enumerate(tokens):
            piece = self.pieces[token]
            if token in self.ends:
                continue
            if place and tokens[place - 1] == BEGIN:
                piece = piece.removeprefix(b" ")
            raw = RAW.fullmatch(piece)
            found += piece if raw is None else bytes([int(raw[1], 16)])
        return found.decode(errors="replace")


class Library:
    """What a `tokenizer.json` says, by the library that wrote it.

    A special token ends a text; those that it puts behind a text are left out.
    """

    def __init__(self, content: bytes) -> None:
        from tokenizers import Tokenizer

        try:
            self._given = Tokenizer.from_str(content.decode())
        except Exception as error:
            raise ValueError from error
        self.size = max(self._given.get_vocab().values(), default=-1) + 1
        special = self._given.get_added_tokens_decoder().items()
        self.ends = frozenset(number for number, token in special if token.special)

    def encode(self, text: str) -> list[int]:
        """Return the tokens, with what it puts before a text."""
        found: list[int] = self._given.encode(text).ids
        while len(found) > 1 and found[-1] in self.ends:
            found.pop()
        return found

    def known(self, text: str) -> NDArray[np.int64]:
        """Return the tokens of the text alone."""
        return np.array(self._given.encode(text, add_special_tokens=False).ids, np.int64)

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text, without special tokens."""
        text: str = self._given.decode(list(tokens), skip_special_tokens=True)
        return text


def read_vocabulary(path: Path) -> NDArray[np.uint8]:
    """Return the bytes of a tokenizer's file; FormatError for one that is none."""
    content = read_given(path, what="the tokenizer", allowed=ALLOWED, most_bytes=MOST_BYTES)
    found = np.frombuffer(content, np.uint8)
    parsed(found, str(path))
    return found


def parsed(content: NDArray[np.uint8], source: str) -> Vocabulary:
    """Return the vocabulary of the bytes of a tokenizer's file."""
    given = content.tobytes()
    try:
        return Library(given) if given.lstrip().startswith(b"{") else Pieces(given)
    except (struct.error, ValueError):
        raise FormatError(
            field="the tokenizer", allowed=ALLOWED, given="another file", source=source
        ) from None


def vocabulary_of(network: QuantizedNetwork) -> Vocabulary:
    """Return the vocabulary of a language model: its tokenizer, else the letters of its classes."""
    if network.tokenizer is None:
        return Letters(network.graph.class_names)
    return parsed(network.tokenizer, network.graph.name)


def vocabulary_complaints(network: QuantizedNetwork) -> Iterator[Complaint]:
    """Check that each piece of a tokenizer has a row."""
    if network.tokenizer is None:
        return
    size = parsed(network.tokenizer, network.graph.name).size
    rows = 0 if network.token_rows is None else len(network.token_rows.rows)
    if size > rows:
        yield "the tokenizer", f"at most {rows} tokens, the rows of the network", size
