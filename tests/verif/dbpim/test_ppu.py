"""Shift and add, accumulation and partial sums, sparse and dense, against golden."""

from pathlib import Path

import pytest

from verif.dbpim.macro_parts import LONG_SIZES, run_part
from verif.runner import Waves


@pytest.mark.parametrize("size", ["small", "narrow dense"])
def test_ppu(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_part("ppu", size, tmp_path, waves=waves)


def test_ppu_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("ppu", "narrow dense", tmp_path, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", LONG_SIZES)
def test_ppu_of_other_sizes(size: str, tmp_path: Path) -> None:
    run_part("ppu", size, tmp_path)
