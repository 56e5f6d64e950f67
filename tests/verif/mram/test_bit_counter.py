"""Counts of ones are exact."""

from pathlib import Path

import pytest

from verif.mram.array_parts import run_part
from verif.runner import Waves


def test_bit_counter(tmp_path: Path, waves: Waves | None) -> None:
    run_part("bit_counter", "tiny", tmp_path, waves=waves)


def test_bit_counter_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("bit_counter", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_bit_counter_of_one_octet(tmp_path: Path) -> None:
    run_part("bit_counter", "single", tmp_path)
