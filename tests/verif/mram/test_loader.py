"""The loader alone, under both simulators."""

from pathlib import Path

import pytest

from verif.mram.chip_parts import run_part
from verif.runner import Waves


def test_loader(tmp_path: Path, waves: Waves | None) -> None:
    run_part("loader", "tiny", tmp_path, waves=waves)


def test_loader_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("loader", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_loader_of_one_octet(tmp_path: Path) -> None:
    run_part("loader", "single", tmp_path)


def test_loader_of_rows_of_two_beats(icarus: str, tmp_path: Path) -> None:
    run_part("loader", "wide rows", tmp_path, simulator=icarus)


def test_loader_of_a_wide_port(icarus: str, tmp_path: Path) -> None:
    run_part("loader", "wide port", tmp_path, simulator=icarus)
