"""Clocks of small chips in the library that ships: no change makes one slower unseen."""

from pathlib import Path

import pytest

from hwgen import api
from hwgen.commands.documents import PLACED
from hwgen.files.shipped import shipped_folder, tables
from hwgen.report.clocks import read_clocks

BOUND = 1.05
"""Of the slowest path that is noted, without wires."""


@pytest.mark.dear
@pytest.mark.promise(
    "the slowest path of two small chips in SG13G2, without wires, is within 5 % of the noted one"
)
@pytest.mark.parametrize("chip", ["dbpim/tiny", "mram/tiny"])
def test_no_path_is_slower(chip: str, tmp_path: Path) -> None:
    context = api.Context(work=tmp_path, console=None)
    report = api.cost(chip, context=context)
    noted = read_clocks(shipped_folder() / PLACED)
    assert report.library.digest == noted.digest and chip in tables(chip.split("/", maxsplit=1)[0])
    clock = next(c for c in noted.chips if c.digest == report.architecture.digest)
    assert clock.ns / BOUND < report.slowest_ns < clock.ns * BOUND
