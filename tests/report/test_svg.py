"""Pictures: what a file calls something is text, and the bytes are the same every time."""

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from hwgen.report.svg import MARKERS, PAPER, SERIES, picture

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


SEEN = {
    "all": np.eye(3),
    "no red cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green cones": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no blue cones": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""Linear RGB as people see it: Machado, Oliveira and Fernandes, 2009, severity 1."""
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
LEAST_DIFFERENCE = 20.0
"""In CIELAB; neighbours of a picture are told apart from about 10."""


def linear(colour: str) -> np.ndarray:
    """Return red, green and blue, 0 to 1, in proportion to light."""
    levels = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """Return lightness and the two differences of CIELAB."""
    white = TO_XYZ @ np.ones(3)
    parts = np.clip(TO_XYZ @ np.clip(seen @ linear(colour), 0, 1), 0, None) / white
    x, y, z = np.where(parts > 0.008856, np.cbrt(parts), 7.787 * parts + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.promise("readers who see fewer colours tell the series of a picture apart")
@pytest.mark.parametrize("kind", SEEN)
def test_series_are_told_apart(kind: str) -> None:
    seen = {colour: lab(colour, SEEN[kind]) for colour in (*SERIES, PAPER)}
    near = {
        (one, other): float(np.linalg.norm(seen[one] - seen[other]))
        for one, other in combinations(seen, 2)
    }
    assert min(near.values()) > LEAST_DIFFERENCE, min(near, key=lambda pair: near[pair])
    assert len(MARKERS) == len(SERIES) == len(set(MARKERS)) == len(set(SERIES))


def test_red_and_green_would_not_be_told_apart() -> None:
    """The check itself sees what is meant."""
    one, other = (lab(colour, SEEN["no green cones"]) for colour in ("#b04a3a", "#6f7a2e"))
    plain = [lab(colour, SEEN["all"]) for colour in ("#b04a3a", "#6f7a2e")]
    assert np.linalg.norm(one - other) < LEAST_DIFFERENCE < np.linalg.norm(plain[0] - plain[1])
