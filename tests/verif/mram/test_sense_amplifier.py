"""Columns of one to three rows against the references."""

from pathlib import Path

import pytest

from verif.mram.array_parts import run_part
from verif.runner import Waves


def test_sense_amplifier(tmp_path: Path, waves: Waves | None) -> None:
    run_part("sense_amplifier", "tiny", tmp_path, waves=waves)


def test_sense_amplifier_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("sense_amplifier", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_sense_amplifier_of_one_octet(tmp_path: Path) -> None:
    run_part("sense_amplifier", "single", tmp_path)
