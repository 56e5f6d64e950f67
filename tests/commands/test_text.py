"""`hwgen text`: what it writes, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from hwgen.commands.text import WriteText
from hwgen.errors import HwgenError

CHIP = "dbpim/paper_rows"


@pytest.mark.promise("the same seed gives the same text")
def test_the_same_seed_gives_the_same_text() -> None:
    first, again = (WriteText("austen_chars", CHIP, prompt="Sh", tokens=3).run() for _ in range(2))
    assert len(first.text) == 3
    assert first.text == again.text
    assert first.tokens_a_call == 1 and first.calls == 4  # a letter each, the last is not read


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"prompt": "3"}, "prompt must be of newlines and of the characters"),
        ({"tokens_a_call": 129}, "tokens must be from 1 to the 128 positions of austen_chars"),
        ({"drafts": ["absent.txt"]}, "a text must be UTF-8, plain or packed by gzip"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict, sentence: str) -> None:
    with pytest.raises(HwgenError) as error:
        WriteText("austen_chars", CHIP, **given).run()
    assert sentence in str(error.value)


def test_a_network_of_images_writes_no_text() -> None:
    with pytest.raises(HwgenError, match="a language model"):
        WriteText("digits_small_cnn", "dbpim/small").run()


@pytest.mark.promise(
    "a text is the same with several characters a call as with one, by each engine"
)
def test_several_characters_a_call(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("She was sure. He was so. She was sure that she was not. " * 3)
    given: dict[str, Any] = {"prompt": "She was", "tokens": 10, "temperature": 0.0}
    one = WriteText("austen_chars", CHIP, tokens_a_call=1, **given).run()
    several = WriteText("austen_chars", CHIP, drafts=[text], engine="model", **given).run()
    assert several.text == one.text and several.calls < one.calls == 16
    assert several.tokens_a_call == 8 and several.drafts > 0
    assert several.cycles is not None and several.cycles_most is not None
    assert several.cycles < 24_000 < several.cycles_most


def test_a_text_is_longer_than_the_context() -> None:
    given: dict[str, Any] = {"prompt": "She was " * 17, "tokens": 60, "tokens_a_call": 8}
    report = WriteText("austen_chars", CHIP, **given).run()
    assert len(report.text) == 60
    # 136 letters: the last 64 are read, 8 calls; place 128 is reached after 65 more letters.
    assert report.calls_again == 0 and report.calls == 8 + 59
