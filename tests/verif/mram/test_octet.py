"""Enabled sub-arrays, the lock, in-memory additions and events."""

from pathlib import Path

import pytest

from verif.mram.array_parts import run_part
from verif.runner import Waves


def test_octet(tmp_path: Path, waves: Waves | None) -> None:
    run_part("octet", "tiny", tmp_path, waves=waves)


def test_octet_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("octet", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_octet_of_one_octet(tmp_path: Path) -> None:
    run_part("octet", "single", tmp_path)
