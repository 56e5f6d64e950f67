"""Lines are counted without what is no code, and growth beyond the price is said."""

import json

from tests.lines.run import LINES, MOST_GROWTH, counted, growth, lines_of, main

TEXT = '''"""A module,
of two lines."""

# A comment.
import sys


def one() -> str:
    """A docstring."""
    return """no
    docstring"""  # code
'''


def test_docstrings_comments_and_blanks_are_no_code() -> None:
    assert lines_of(TEXT) == 4


def test_growth_beyond_the_price_is_said() -> None:
    before = {"hwgen/chip": 100, "tests": 10}
    little = growth(before, {"hwgen/chip": 100 + MOST_GROWTH, "tests": 9000})
    assert "for which promise" not in " ".join(little)
    assert little[0].split() == ["hwgen/chip", "100", "400", "+300"]
    much = growth(before, {"hwgen/chip": 100, "hwgen/new": MOST_GROWTH + 1})
    assert "for which promise" in much[-1]
    assert much[-2].split() == ["product", "100", "401", "+301"]


def test_every_package_has_its_price(capsys) -> None:  # type: ignore[no-untyped-def]
    written = json.loads(LINES.read_text(encoding="utf-8"))
    assert written.keys() == counted().keys()
    assert main([]) == 0
    assert "product" in capsys.readouterr().out
