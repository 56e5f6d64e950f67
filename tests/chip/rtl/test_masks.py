"""ANDs with constants as one operation: what is put together, and that a chip has no other."""

import re
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.masks import masked
from hwgen.mram.facts.arch import load_arch
from hwgen.mram.rtl.chip import Chip

TINY = Path(__file__).parents[3] / "configs" / "mram" / "tiny.yaml"

DECLARED = r"""
  wire [5:0] \$1 ;
  wire [7:0] \$2 ;
  input [5:0] bits;
  wire [5:0] bits;
"""
CLEARED = r"  assign { \$1 [5:4], \$1 [1] } = 3'h0;" + "\n"
SPLIT = CLEARED + r"  assign { \$1 [3:2], \$1 [0] } = { bits[3:2], bits[0] };" + "\n"


@pytest.mark.promise(
    "an AND with a constant is emitted as one operation, and all else stays as Yosys wrote it"
)
def test_bits_of_an_and_become_one_assignment() -> None:
    assert masked(DECLARED + SPLIT) == DECLARED + "  assign \\$1  = bits[5:0] & 6'hd;\n"


def test_the_source_may_be_a_part_of_a_signal() -> None:
    shifted = SPLIT.replace("bits[3:2], bits[0]", r"\$2 [5:4], \$2 [2]")
    assert masked(DECLARED + shifted) == DECLARED + "  assign \\$1  = \\$2 [7:2] & 6'hd;\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3'h0", "3'h1"),
        (r"\$1 [5:4], \$1 [1]", r"\$1 [5], \$1 [1]"),
        (r"\$1 [5:4], \$1 [1]", r"\$1 [5:4], \$1 [2]"),
        (r"\$1 [5:4], \$1 [1]", r"\$2 [5:4], \$1 [1]"),
        ("{ bits[3:2], bits[0] }", "{ bits[3:2], bits[1] }"),
        ("{ bits[3:2], bits[0] }", r"{ bits[3:2], \$2 [0] }"),
        ("{ bits[3:2], bits[0] }", "{ bits[3:2], 1'h1 }"),
        ("{ bits[3:2], bits[0] }", r"{ \$2 [6:5], \$2 [3] }"),
        ("{ bits[3:2], bits[0] }", "{ other[3:2], other[0] }"),
        (r"\$1 [3:2], \$1 [0] } = { bits[3:2]", r"\$1 [3:2], \$1 [0] } = { bits[2], bits[2]"),
    ],
    ids=[
        "a one",
        "a bit not assigned",
        "a bit assigned twice",
        "two targets",
        "bits in another place",
        "two sources",
        "a constant",
        "beyond the source",
        "a source without a declaration",
        "other parts",
    ],
)
def test_other_assignments_stay(old: str, new: str) -> None:
    module = DECLARED + SPLIT.replace(old, new)
    assert old in SPLIT and masked(module) == module


def test_no_and_of_a_chip_is_split() -> None:
    modules = verilog_modules(Chip(arch=load_arch(TINY)))
    split = [
        name for name, text in modules.items() if re.search(r"assign \{.*\} = \d+'[hd]0", text)
    ]
    assert not split
    masks = re.findall(r" & \d+'h\w+;$", modules["mram_bit_counter"], re.M)
    assert len(masks) == 6
