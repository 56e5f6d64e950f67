"""ANDs with constants as one operation: what is put together, and that a chip has no other."""

import re
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.masks import as_and
from hwgen.mram.facts.arch import load_arch
from hwgen.mram.rtl.chip import Chip

TINY = Path(__file__).parents[3] / "configs" / "mram" / "tiny.yaml"
WIDTHS = {"bits": 8, "other": 8}


@pytest.mark.promise("an AND with a constant is emitted as one operation")
@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("{ 2'h0, bits[3:2], 1'h0, bits[0] }", "bits[5:0] & 6'hd"),
        ("{ bits[7], 1'h0, bits[5:2], 2'h0 }", "bits & 8'hbc"),
        # The source may be a part of a signal, and end before the row.
        ("{ 2'h0, bits[5:4], 1'h0, bits[2] }", "bits[7:2] & 6'hd"),
        ("{ 2'h0, bits[7:6], 1'h0, bits[4] }", "{ 2'h0, bits[7:4] & 4'hd }"),
    ],
)
def test_a_row_of_bits_is_an_and(row: str, text: str) -> None:
    assert as_and(row, WIDTHS) == (text, "" if text[0] == "{" else "&")


@pytest.mark.parametrize(
    "row",
    [
        "{ 2'h0, bits[3:2], bits[0] }",
        "{ 2'h0, bits[3:2], 1'h1, bits[0] }",
        "{ 2'h0, bits[3:2], 1'hx, bits[0] }",
        "{ 2'h0, bits[3:2], 1'h0, other[0] }",
        "{ 2'h0, bits[3:2], 1'h0, bits[1] }",
        "{ 1'h0, bits[1], 1'h0, bits[0], 2'h0 }",
    ],
    ids=["three pieces", "a one", "an unknown", "another signal", "another place", "upwards"],
)
def test_other_rows_stay(row: str) -> None:
    assert as_and(row, WIDTHS) == (row, "")


def test_no_and_of_a_chip_is_split() -> None:
    modules = verilog_modules(Chip(arch=load_arch(TINY)))
    assert len(re.findall(r" & \d+'h\w+\b", modules["mram_bit_counter"])) >= 6
    rows = re.findall(r"\{ [^{}]* \}", "".join(modules.values()))
    pieces = [re.findall(r"0+'?h?0*, (\w+)\[", row) for row in rows]
    assert not [each for each in pieces if len(each) > 2 and len(set(each)) == 1]
