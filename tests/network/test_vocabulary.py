"""Texts as tokens: letters, pieces of llama2.c, a tokenizer.json."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.commands.text import WriteText
from hwgen.errors import HwgenError
from hwgen.network.decoding import decode
from hwgen.network.file import load_network, save_network
from hwgen.network.tokens import TokenRows
from hwgen.network.vocabulary import BEGIN, END, Letters, Library, Pieces, read_vocabulary
from verif.dbpim.decoders import DecoderShape, drawn_decoder

JOINED = {" ": -1, "t": -2, "h": -3, "e": -4, "th": -0.5, "he": -0.2, "the": -0.4, " the": -0.3}


def pieces_file(joined: dict[str, float] = JOINED) -> bytes:
    """Return a file of llama2.c: three marks, 256 bytes, and pieces with scores."""
    pieces = [(b"<unk>", 0.0), (b"\n<s>\n", 0.0), (b"\n</s>\n", 0.0)]
    pieces += [(f"<0x{byte:02X}>".encode(), 0.0) for byte in range(256)]
    pieces += [(piece.encode(), score) for piece, score in joined.items()]
    parts = [struct.pack("<fi", score, len(piece)) + piece for piece, score in pieces]
    return struct.pack("<i", 8) + b"".join(parts)


def test_letters() -> None:
    letters = Letters(["newline", "space", "a", "b"])
    assert letters.encode("a b\n") == [2, 1, 3, 0] and letters.decode([3, 0, 1]) == "b\n "
    assert letters.known("a?b").tolist() == [2, -1, 3]


@pytest.mark.promise(
    "a text becomes the pieces of a file of llama2.c as its own program finds them: the two that"
    " score best become one, and what is no piece becomes bytes"
)
def test_the_best_two_pieces_become_one() -> None:
    words = Pieces(pieces_file())
    first = 259
    space, t, _, e, th, he, the, whole = range(first, first + 8)
    # "he" scores best, then t + he is "the" and space + the is " the".
    assert words.encode("the") == [BEGIN, whole]
    assert words.encode("ththe") == [BEGIN, space, th, the]
    assert words.encode("hee") == [BEGIN, space, he, e]
    assert words.encode("t\u00e9") == [BEGIN, space, t, 3 + 0xC3, 3 + 0xA9]
    assert words.decode(words.encode("the t\u00e9")) == "the t\u00e9"
    assert words.known("the the").tolist() == [the, whole]
    assert words.ends == {BEGIN, END} and words.size == first + 8


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"abc", pieces_file()[:300], pieces_file()[:-3], b"\0" * 40]
)
def test_another_file_is_no_tokenizer(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(content)
    with pytest.raises(HwgenError, match=r"the tokenizer must be a tokenizer\.json, or a file of"):
        read_vocabulary(tmp_path / "given")


def json_file(folder: Path) -> Path:
    """Write a tokenizer of words and of a token that ends a text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    known = {"<end>": 0, "she": 1, "was": 2, "sure": 3}
    made = Tokenizer(models.WordLevel(known, unk_token="was"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(["<end>"])
    made.post_processor = processors.TemplateProcessing(
        single="<end> $A <end>", special_tokens=[("<end>", 0)]
    )
    made.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def test_a_tokenizer_by_its_library(tmp_path: Path) -> None:
    words = Library(json_file(tmp_path).read_bytes())
    assert (words.size, words.ends) == (4, frozenset({0}))
    assert words.encode("she was") == [0, 1, 2]
    assert words.known("she was").tolist() == [1, 2]
    assert words.decode([0, 1, 2, 0]) == "she was"


@pytest.mark.promise("a tokenizer travels in the network file, and `hwgen text` writes its pieces")
@pytest.mark.parametrize("kind", ["pieces", "json"])
def test_a_tokenizer_travels_in_the_network_file(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.bin"
    file.write_bytes(pieces_file())
    content = read_vocabulary(file if kind == "pieces" else json_file(tmp_path))
    shape = DecoderShape(blocks=1, width=16, heads=1, hidden=16, tokens=16)
    classes = 267 if kind == "pieces" else 4
    step = decode(drawn_decoder(2, shape, classes=classes))
    rows = np.random.default_rng(0).integers(0, 256, (classes, 16), dtype=np.uint8)
    network = replace(step, token_rows=TokenRows(name="", rows=rows), tokenizer=content)
    save_network(network, tmp_path / "model.npz")
    again = load_network(tmp_path / "model.npz")
    assert again.tokenizer is not None and (again.tokenizer == content).all()
    report = WriteText(tmp_path / "model.npz", "dbpim/small_rows", prompt="she", tokens=30).run()
    assert 0 < report.written <= 30
    if report.written < 30:
        assert report.calls < 30
    few = replace(network, token_rows=TokenRows(name="", rows=rows[:3]))
    with pytest.raises(HwgenError, match="the tokenizer must be at most 3 tokens, the rows of"):
        save_network(few, tmp_path / "few.npz")
