"""Control alone, under both simulators."""

from pathlib import Path

import pytest

from verif.mram.chip_parts import run_part
from verif.runner import Waves


def test_control(tmp_path: Path, waves: Waves | None) -> None:
    run_part("control", "tiny", tmp_path, waves=waves)


def test_control_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("control", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_control_of_one_octet(tmp_path: Path) -> None:
    run_part("control", "single", tmp_path)
