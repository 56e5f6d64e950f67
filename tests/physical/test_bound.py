"""Clocks of small chips stay what they are: nobody makes a slowest path longer without a word."""

import json
from pathlib import Path

import pytest

from hwgen.cli import main

BOUNDS = {"dbpim/tiny": 8.14, "mram/tiny": 8.17}
"""Slowest paths in SG13G2 without wires, in ns; a faster chip gets a new one."""
MOST = 0.05
"""By which a path may be longer, or shorter without a new bound."""


@pytest.mark.long
@pytest.mark.promise(
    "the slowest paths of two small chips in SG13G2 are within 5 % of their bounds"
)
@pytest.mark.parametrize("chip", BOUNDS)
def test_no_path_grows(chip: str, tmp_path: Path) -> None:
    out = tmp_path / "cost.json"
    given = ["cost", chip, "--json", str(out), "--work", str(tmp_path / "work")]
    assert main(given) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    worst = found["paths"][0]
    assert found["slowest_ns"] == pytest.approx(BOUNDS[chip], rel=MOST), worst
