"""Bars have the length of their values, and what a label holds is text."""

import re
from xml.etree import ElementTree

import pytest

from hwgen.report.bars import CHARACTER, CLASSES, GAP, LABEL, WIDTH, Row, bars, legend, stacked


def rectangles(svg: str) -> list[dict[str, str]]:
    return [each.attrib for each in ElementTree.fromstring(svg).iter("rect")]


@pytest.mark.promise(
    "a run and a prediction leave a page with cycles by layer, their causes, the schedule, energy"
    " and area"
)
def test_lengths_are_in_proportion() -> None:
    rows = [
        Row(label="a", values=[8, 4], texts=["8", "4"]),
        Row(label="b", values=[2], texts=["2"]),
    ]
    found = [float(each["width"]) for each in rectangles(bars(rows, title="x"))]
    most = WIDTH - LABEL - GAP - CHARACTER
    assert found == pytest.approx([most, most / 2, most / 4], abs=0.05)


def test_every_value_is_inside_and_has_a_line() -> None:
    rows = [Row(label="a", values=[8, 7], texts=["118,684, 3.96x fewer", "7"])]
    drawn = ElementTree.fromstring(bars(rows, title="x"))
    values = [each.attrib for each in drawn.iter("text") if each.attrib["class"] == "muted"]
    assert float(values[0]["x"]) + 20 * CHARACTER <= WIDTH
    assert float(values[1]["y"]) - float(values[0]["y"]) >= float(drawn.attrib["font-size"])


def test_nothing_and_zero_are_drawn() -> None:
    assert rectangles(bars([], title="x")) == []
    (found,) = rectangles(bars([Row(label="a", values=[0], texts=["0"])], title="x"))
    assert float(found["width"]) == 1


def test_parts_of_a_bar_fill_it_and_keep_their_colour() -> None:
    shares = {"dense": {"busy": 0.75, "load": 0.25}, "sparse": {"load": 0.5, "busy": 0.5}}
    found = rectangles(stacked(shares, title="x"))
    assert [each["class"] for each in found] == ["first", "second", "second", "first"]
    for first, second in (found[:2], found[2:]):
        assert float(first["x"]) == LABEL
        assert float(first["x"]) + float(first["width"]) == pytest.approx(
            float(second["x"]), abs=0.1
        )
        assert float(second["x"]) + float(second["width"]) == pytest.approx(WIDTH, abs=0.2)


def test_labels_are_text() -> None:
    name = "<script>&"
    drawn = bars([Row(label=name, values=[1], texts=[name])], title=name)
    drawn += stacked({name: {name: 1.0}}, title=name) + legend([name])
    assert "<script" not in drawn
    assert drawn.count("&lt;script&gt;&amp;") >= 6


def test_a_long_label_is_cut() -> None:
    drawn = bars([Row(label="features.18.conv.3", values=[1], texts=["1"])], title="x")
    assert "features.18.con…" in drawn


def test_a_legend_has_each_colour_once() -> None:
    assert re.findall(r'rect class="(\w+)"', legend("abcdefgh")) == list(CLASSES)
