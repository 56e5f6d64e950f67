"""ANDs of a load come in order, without gaps."""

from pathlib import Path

import pytest

from verif.mram.array_parts import run_part
from verif.runner import Waves


def test_octet_control(tmp_path: Path, waves: Waves | None) -> None:
    run_part("octet_control", "tiny", tmp_path, waves=waves)


def test_octet_control_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("octet_control", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_octet_control_of_one_octet(tmp_path: Path) -> None:
    run_part("octet_control", "single", tmp_path)
