"""Slots follow the rule in every cycle."""

from pathlib import Path

import pytest

from verif.mram.array_parts import run_part
from verif.runner import Waves


def test_ring(tmp_path: Path, waves: Waves | None) -> None:
    run_part("ring", "tiny", tmp_path, waves=waves)


def test_ring_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("ring", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_ring_of_one_octet(tmp_path: Path) -> None:
    run_part("ring", "single", tmp_path)
