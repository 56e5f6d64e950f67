"""Pictures: what a file calls something is text, and the bytes are the same every time."""

from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from hwgen.report.svg import picture

DOCS = Path(__file__).parents[2] / "docs"
HOSTILE = r"$\frac{[bold]x[/x]<b>&$"


def drawn(text: str) -> str:
    kept: list[str] = []
    with picture(4.0, 2.0, kept) as axes:
        axes.set_title(text)
        axes.bar([text], [1.0])
    (svg,) = kept
    return svg


@pytest.mark.promise("text from files is data, and every message is bounded and safe to print")
def test_names_are_no_formulas() -> None:
    """A formula that is not one would end the command: matplotlib cannot parse it."""
    svg = ElementTree.fromstring(drawn(HOSTILE))
    texts = [element.text for element in svg.iter() if element.tag.endswith("text")]
    assert texts.count(HOSTILE) == 2


def test_no_picture_of_the_pages_shows_a_formula() -> None:
    """An axis of Matplotlib may write one for a number, and it stays as it is written."""
    pictures = sorted(DOCS.rglob("*.svg"))
    assert len(pictures) > 5
    assert [path.name for path in pictures if "\\math" in path.read_text(encoding="utf-8")] == []


def test_what_a_person_has_set_does_not_show() -> None:
    plain = drawn("x")
    with mpl.rc_context({"text.parse_math": True, "font.size": 30.0, "svg.hashsalt": None}):
        assert drawn("x") == plain
        assert mpl.rcParams["font.size"] == 30.0
