"""Cells hold what was written, slice by slice, also through a reset."""

from pathlib import Path

import pytest

from verif.mram.array_parts import run_part
from verif.runner import Waves


def test_cell_array(tmp_path: Path, waves: Waves | None) -> None:
    run_part("cell_array", "tiny", tmp_path, waves=waves)


def test_cell_array_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("cell_array", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_cell_array_of_one_octet(tmp_path: Path) -> None:
    run_part("cell_array", "single", tmp_path)
