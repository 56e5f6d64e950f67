"""The part `record_table` alone, under both simulators."""

from pathlib import Path

import pytest

from verif.mram.chip_parts import run_part
from verif.runner import Waves


def test_record_table(tmp_path: Path, waves: Waves | None) -> None:
    run_part("record_table", "tiny", tmp_path, waves=waves)


def test_record_table_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("record_table", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_record_table_of_one_octet(tmp_path: Path) -> None:
    run_part("record_table", "single", tmp_path)


def test_record_table_of_a_wide_port(icarus: str, tmp_path: Path) -> None:
    run_part("record_table", "wide port", tmp_path, simulator=icarus)
