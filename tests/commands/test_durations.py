"""Spans of time as people write them."""

import pytest

from hwgen.commands.durations import seconds_of
from hwgen.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("1.5 h", 5400), ("2min", 120), (" 1d ", 86400), ("1e3s", 1000), ("1y", 31557600)],
)
def test_spans(text: str, seconds: float) -> None:
    assert seconds_of(text, field="--time") == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1 week", "1.2.3s", "1h,2h"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ConfigError, match="--time must be a number and one of s, min, h, d, y"):
        seconds_of(text, field="--time")
