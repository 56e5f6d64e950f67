"""One table, for a page and for the terminal."""

from pathlib import Path

import pytest

from hwgen.report.sheet import Sheet

COLUMNS, ROWS = ["what", "count"], [["a|b", 12], ["c", "-"]]


@pytest.mark.promise("a table is written once, for a page of Markdown and for the terminal")
def test_markdown_escapes_what_ends_a_cell() -> None:
    assert list(Sheet(COLUMNS, ROWS).markdown()) == [
        "| what | count |",
        "| --- | --- |",
        "| a\\|b | 12 |",
        "| c | - |",
    ]


def test_the_terminal_has_the_same_cells() -> None:
    table = Sheet(COLUMNS, ROWS).rich()
    assert [list(column.cells) for column in table.columns] == [["a|b", "c"], ["12", "-"]]
    assert [column.justify for column in table.columns] == ["left", "right"]


def test_no_page_writes_a_table_by_hand() -> None:
    """But the index of a chip's Verilog: generators are below reports."""
    root = Path(__file__).parents[2] / "hwgen"
    texts = {file: file.read_text(encoding="utf-8") for file in root.rglob("*.py")}
    writers = [
        file.relative_to(root).as_posix()
        for file, text in texts.items()
        if "| {' | '.join(" in text or "| ---" in text or "{' | '.join(told)}" in text
    ]
    assert sorted(writers) == ["chip/rtl/index.py", "report/sheet.py"]
