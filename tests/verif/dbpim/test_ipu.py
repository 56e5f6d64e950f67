"""Bit planes and their order, with and without skipping, against golden."""

from pathlib import Path

import pytest

from verif.dbpim.macro_parts import LONG_SIZES, run_part
from verif.runner import Waves


@pytest.mark.parametrize("size", ["small", "narrow dense"])
def test_ipu(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_part("ipu", size, tmp_path, waves=waves)


def test_ipu_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("ipu", "narrow dense", tmp_path, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", LONG_SIZES)
def test_ipu_of_other_sizes(size: str, tmp_path: Path) -> None:
    run_part("ipu", size, tmp_path)
