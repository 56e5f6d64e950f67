"""`hwgen text`: what it writes, and what it refuses."""

import numpy as np
import pytest

from hwgen.commands.text import WriteText, chosen
from hwgen.errors import HwgenError

CHIP = "dbpim/paper_rows"


@pytest.mark.promise("the same seed gives the same text")
def test_the_same_seed_gives_the_same_text() -> None:
    first, again = (WriteText("austen_chars", CHIP, prompt="Sh", tokens=3).run() for _ in range(2))
    assert len(first.text) == 3
    assert first.text == again.text
    assert first.calls == 4


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"prompt": "3"}, "prompt must be of newlines and of the characters"),
        ({"prompt": "She", "tokens": 127}, "tokens must be with the prompt at most 129"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict, sentence: str) -> None:
    with pytest.raises(HwgenError) as error:
        WriteText("austen_chars", CHIP, **given).run()
    assert sentence in str(error.value)


def test_a_network_of_images_writes_no_text() -> None:
    with pytest.raises(HwgenError, match="a language model"):
        WriteText("digits_small_cnn", "dbpim/small").run()


def test_without_temperature_the_likeliest_character_comes() -> None:
    rng = np.random.default_rng(0)
    assert chosen(np.array([0.0, 3.0, 1.0]), 0, rng) == 1
    drawn = [chosen(np.array([0.0, 3.0, 1.0]), 1.0, rng) for _ in range(400)]
    assert 0 < drawn.count(0) < drawn.count(2) < drawn.count(1)
