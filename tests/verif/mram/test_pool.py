"""The pool unit alone, under both simulators."""

from pathlib import Path

import pytest

from verif.mram.chip_parts import run_part
from verif.runner import Waves


def test_pool(tmp_path: Path, waves: Waves | None) -> None:
    run_part("pool", "tiny", tmp_path, waves=waves)


def test_pool_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("pool", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_pool_of_one_octet(tmp_path: Path) -> None:
    run_part("pool", "single", tmp_path)
