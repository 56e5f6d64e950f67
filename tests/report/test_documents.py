"""The generated pages in docs are up to date."""

from pathlib import Path
from types import ModuleType

import pytest

from hwgen.commands.documents import documents
from hwgen.dbpim.facts import timing as dbpim_timing
from hwgen.mram.facts import load_arch
from hwgen.mram.facts import timing as mram_timing
from hwgen.mram.facts.records import HEADER, parameter_fields, record_bits, record_fields
from hwgen.mram.facts.registers import REGISTERS
from hwgen.report.data_sheet import constants, keys, limits, meanings_in

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return documents(ROOT / "configs", rules_on="dbpim")


@pytest.mark.promise("reports follow their published schemas, and data sheets follow the code")
def test_pages_are_up_to_date(pages: dict[str, str]) -> None:
    stale = [
        name for name, text in pages.items() if (ROOT / "docs" / name).read_text("utf-8") != text
    ]
    assert not stale, "run: scripts/documents"


def test_a_data_sheet_has_all_parts(pages: dict[str, str]) -> None:
    sheet = pages["dbpim-data-sheet.md"]
    for part in (
        "`memory__*`",
        "`araddr` 64",
        "`load_cycles_low`",
        "### TILE",
        "`macro.rows`",
        "STALLED",
    ):
        assert part in sheet
    assert f"| `AROUND_ARRAY_CYCLES` | {dbpim_timing.AROUND_ARRAY_CYCLES} |" in sheet


def test_the_data_sheet_of_a_crossbar_chip_has_all_parts(pages: dict[str, str]) -> None:
    sheet = pages["crossbar-data-sheet.md"]
    for part in ("`held_clocks`", "### Column", "| interval steps | 48 |", "| cells | 976.00 |"):
        assert part in sheet


def test_the_data_sheet_of_an_mram_chip_has_all_parts(pages: dict[str, str]) -> None:
    sheet = pages["mram-data-sheet.md"]
    small = load_arch(ROOT / "configs/mram/small.yaml")
    for part in (
        "`araddr` 64",
        "`weight_row_writes`",
        "4 LOCKED",
        f"### Record ({record_bits(small)} bits)",
        "### Header (512 bits)",
        "`answer_address`",
        "| weight rows | 112 |",
        "| image banks | 8.00 |",
        "| `and_operations` | arrays | 26 |",
        "| sub-array, with decoders and sense amplifiers | 69,300 |",
        "[The same for every chip](dbpim-data-sheet.md#in-a-system). `s_axi`: ",
        "| `mram/paper` | 3.12 |",
    ):
        assert part in sheet
    for field in (*record_fields(small), *HEADER, *parameter_fields(small)):
        assert f" `{field.name}` | {field.meaning} |" in sheet
    for register in REGISTERS:
        assert f"| `{register.name}` |" in sheet


@pytest.mark.parametrize("timing", [dbpim_timing, mram_timing])
def test_every_published_latency_is_explained(timing: ModuleType) -> None:
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
