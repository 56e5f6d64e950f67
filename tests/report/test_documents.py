"""The generated pages in docs are up to date."""

from pathlib import Path

import pytest

from hwgen.flow.documents import documents
from hwgen.report.data_sheet import constants, keys, limits, meanings_in
from hwgen.spec.dbpim import timing

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return documents(ROOT / "configs")


def test_pages_are_up_to_date(pages: dict[str, str]) -> None:
    stale = [
        name for name, text in pages.items() if (ROOT / "docs" / name).read_text("utf-8") != text
    ]
    assert not stale, "run: hwgen documents"


def test_a_data_sheet_has_all_parts(pages: dict[str, str]) -> None:
    sheet = pages["dbpim-data-sheet.md"]
    for part in ("`memory__araddr`", "`load_cycles_low`", "### TILE", "`macro.rows`", "STALLED"):
        assert part in sheet
    assert f"| `MACRO_CYCLES` | {timing.MACRO_CYCLES} |" in sheet


def test_every_published_latency_is_explained() -> None:
    published = {name for name in vars(timing) if name.isupper()}
    assert {name.strip("`") for name, _, text in constants(timing) if text} == published


def test_docstrings_are_read() -> None:
    text = "A thing.\n\na, b: one\n    line more\nc: two\nNot this.\n"
    assert meanings_in(text) == {"a": "one line more", "b": "one line more", "c": "two"}


def test_limits_are_read() -> None:
    assert (
        limits({"type": "integer", "minimum": 1, "maximum": 8}) == "integer, at least 1, at most 8"
    )
    nested = {
        "description": "m: mine",
        "properties": {"m": {"type": "integer"}, "s": {"$ref": "#/$defs/S"}},
    }
    inner = {"S": {"properties": {"x": {"enum": [1, 2]}}}}
    found = list(keys(nested, inner, ""))
    assert found == [("`m`", "integer", "mine"), ("`s.x`", ", one of 1, 2", "")]
