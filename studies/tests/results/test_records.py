"""JSON of results stands beside the studies, a line a record, however a command left it."""

import json
import os
from pathlib import Path

import pytest

from hwgen.errors import OutputError
from hwgen.files.folder import add_files
from studies.tests.results.records import PAGES, RECORDS, keep, lend, records_text


@pytest.mark.promise("JSON of results stands beside the studies, one line a record")
def test_all_json_of_results_is_lines_of_records() -> None:
    assert not list(PAGES.glob("*.json"))
    for file in RECORDS.glob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert text == records_text(json.loads(text)), f"{file.name}: scripts/results --keep"


def test_what_a_command_left_is_brought_there(tmp_path: Path) -> None:
    pages, records = tmp_path / "pages", tmp_path / "records"
    for folder in (pages, records):
        folder.mkdir()
    content = {
        "version": 1,
        "rows": [{"a": [1, 2]}, {"a": 0.1}],
        "by": {"x": {"y": None}},
        "n": [1],
    }
    (pages / "new.json").write_text(json.dumps(content, indent=2))
    (records / "old.json").write_text("[]")
    keep(pages, records)
    assert not list(pages.iterdir()) and (records / "old.json").read_text() == "[]\n"
    text = (records / "new.json").read_text()
    assert json.loads(text) == content
    assert text == (
        '{\n"version": 1,\n"rows": [\n {"a": [1, 2]},\n {"a": 0.1}\n],\n'
        '"by": {\n "x": {"y": null}\n},\n"n": [1]\n}\n'
    )


def test_a_page_and_its_picture_are_replaced_by_the_record_that_is_lent(tmp_path: Path) -> None:
    """A page or a picture alone might be of anybody."""
    pages, records = tmp_path / "pages", tmp_path / "records"
    for folder in (pages, records):
        folder.mkdir()
    report = json.dumps({"format": "hwgen.report.zeros", "version": 1})
    files = {"a.json": report, "a.md": "# A page\n", "a.svg": "<svg/>\n"}

    def fill(folder: Path) -> None:
        for name, text in files.items():
            (folder / name).write_text(text)

    add_files(pages, fill)
    keep(pages, records)
    with pytest.raises(OutputError, match=r"a\.md must be a new file or one of an earlier output"):
        add_files(pages, fill)
    lend("a", pages, records)
    add_files(pages, fill)
    keep(pages, records)
    assert sorted(path.name for path in pages.iterdir()) == ["a.md", "a.svg"]
    assert json.loads((records / "a.json").read_text()) == json.loads(report)
    lend("none", pages, records)


def test_a_record_that_a_command_writes_here_is_kept(tmp_path: Path) -> None:
    pages, records = tmp_path / "pages", tmp_path / "records"
    for folder in (pages, records):
        folder.mkdir()
    (records / "a.json").write_text('{"old": 1}')
    lend("a", pages, records)
    lent = (pages / "a.json").stat().st_mtime
    (records / "a.json").write_text('{"new": 2}')
    os.utime(records / "a.json", (lent + 1, lent + 1))
    keep(pages, records)
    assert json.loads((records / "a.json").read_text()) == {"new": 2}
    assert not list(pages.iterdir())
