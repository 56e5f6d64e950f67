"""The truth table of a DBMU."""

from pathlib import Path

import pytest

from verif.dbpim.macro_parts import LONG_SIZES, run_part
from verif.runner import Waves


def test_dbmu(tmp_path: Path, waves: Waves | None) -> None:
    run_part("dbmu", "small", tmp_path, waves=waves)


def test_dbmu_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("dbmu", "narrow dense", tmp_path, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", LONG_SIZES)
def test_dbmu_of_other_sizes(size: str, tmp_path: Path) -> None:
    run_part("dbmu", size, tmp_path)
