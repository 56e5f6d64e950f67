"""The program that looks for printed numbers in the texts of documents, on texts made here."""

from pathlib import Path

import pytest
from hwgen_studies import in_texts

PUBLISHED = """\
documents:
  "009":
    places: {Section A: "A. Setup", Table I: "Table I: rows", Section B: "B. Results"}
numbers:
  "009":
    - {id: one, place: Table I, value: 2.5, text: "row 1.5 [2.5]"}
    - {id: two, place: Section B, value: 7, text: "takes [7] ms"}
    - {id: bars, place: Section B, value: null, bars: true}
"""
TEXT = (
    "A. Setup takes 7 ms of row 1.5 2.5 Table I: rows\n row\t1.5 2.5\n B. Results: it takes 7\nms."
)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    file = tmp_path / "published.yaml"
    file.write_text(PUBLISHED, encoding="utf-8")
    return file


def found(folder: Path, published: Path, text: str) -> dict[str, str]:
    """Return the verdicts on a text."""
    (folder / "009_text.txt").write_text(text, encoding="utf-8")
    return in_texts.verdicts(folder, published)


@pytest.mark.promise(
    "a second program finds each printed number at its place in the documents, or says that our"
    " text lacks it"
)
def test_numbers_stand_at_their_places(tmp_path: Path, published: Path) -> None:
    here = {"one": in_texts.FOUND, "two": in_texts.FOUND, "bars": in_texts.ABSENT}
    assert found(tmp_path, published, TEXT) == here


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("\t1.5 2.5", "\t1.5 2.6", {"one"}),
        ("it takes 7\nms", "it takes 17\nms", {"two"}),
        ("B. Results", "B. Other", {"two"}),
        ("row\t1.5 2.5", "row\t1.5 2.5 row 1.5 2.5", {"one"}),
        ("row\t1.5 2.5", "row\t1.5 2.53", {"one"}),
    ],
)
def test_another_number_or_another_place_is_not_found(
    tmp_path: Path, published: Path, old: str, new: str, wrong: set[str]
) -> None:
    verdicts = found(tmp_path, published, TEXT.replace(old, new))
    assert {name for name, told in verdicts.items() if told == in_texts.WRONG} == wrong


def test_a_value_that_its_own_words_do_not_have_is_not_found(
    tmp_path: Path, published: Path
) -> None:
    published.write_text(PUBLISHED.replace("value: 2.5", "value: 2.6"), encoding="utf-8")
    assert found(tmp_path, published, TEXT)["one"] == in_texts.WRONG


def test_the_program_counts(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert in_texts.main([str(tmp_path)]) == 2
    (tmp_path / "004_text.txt").write_text("nothing", encoding="utf-8")
    assert in_texts.main([str(tmp_path)]) == 1
    out, err = capfd.readouterr()
    assert "004.latency.gpu.1: not found" in out
    assert out.splitlines()[-1] == "0 in the text, 0 not in our text, 9 not found"
    assert err == "in_texts: give a folder with texts such as 001_NAME.txt\n"
