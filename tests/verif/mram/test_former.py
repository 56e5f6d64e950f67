"""Planes of convolutions against golden, reads by the rule."""

from pathlib import Path

import pytest

from verif.mram.array_parts import run_part
from verif.runner import Waves


def test_former(tmp_path: Path, waves: Waves | None) -> None:
    run_part("former", "tiny", tmp_path, waves=waves)


def test_former_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("former", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_former_of_one_octet(tmp_path: Path) -> None:
    run_part("former", "single", tmp_path)
