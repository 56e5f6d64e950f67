"""The placement as a table for people."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console

from hwgen.crossbar.facts import load_arch
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.pages.placement import COLUMNS, placement_parts, unpaid_parts
from tests.synthesis import confirmed

DIGITS = Path(__file__).parents[3] / "configs/crossbar/digits_small_cnn.yaml"


def lines_of() -> list[str]:
    console = Console(width=160)
    configuration = json.loads(json.dumps(asdict(make_arch(confirmed(), "small"))))
    with console.capture() as captured:
        console.print(*placement_parts(configuration), sep="\n")
    return captured.get().splitlines()


@pytest.mark.promise(
    "a strict architecture file holds what a generator needs beside, holdings, travels,"
    " regions, clock and constants, and refuses what does not follow"
)
def test_a_row_for_each_layer_in_each_macro() -> None:
    lines = lines_of()
    heading = next(k for k, line in enumerate(lines) if line.startswith("macro "))
    assert all(name in lines[heading] for name in COLUMNS)
    behind = next(k for k, line in enumerate(lines) if line.startswith("travels: "))
    rows = [line.split() for line in lines[heading + 1 : behind] if line.split()]
    # 3 macros with two layers each, 2 of `left`, one of `head`.
    assert [row[0] for row in rows] == ["0", "0", "1", "1", "2", "2", "3", "4", "5"]
    assert rows[1][:9] == ["0", "0,0", "deep", "0", "0-2", "3", "72", "7,200", "72"]
    assert rows[5][:9] == ["2", "1,1", "deep", "1", "1-2", "2", "48", "4,800", "48"]
    assert "image enters" in " ".join(lines) and "1 chain" in lines[behind]


def test_memories_that_nobody_pays_for_are_listed() -> None:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(*unpaid_parts(asdict(load_arch(DIGITS))))
    lines = [line.split() for line in captured.get().splitlines()]
    assert lines[0] == ["memories", "beside", "the", "components", "bits"]
    bits = [int(line[-1].replace(",", "")) for line in lines[1:]]
    assert bits == sorted(bits, reverse=True)
    assert len(bits) > 5


def test_nothing_without_a_fabric() -> None:
    assert list(placement_parts({"fabric": None})) == []
    assert list(placement_parts({})) == []
