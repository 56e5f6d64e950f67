"""The DPU alone, under both simulators."""

from pathlib import Path

import pytest

from verif.mram.chip_parts import run_part
from verif.runner import Waves


def test_dpu(tmp_path: Path, waves: Waves | None) -> None:
    run_part("dpu", "tiny", tmp_path, waves=waves)


def test_dpu_with_float32(tmp_path: Path, waves: Waves | None) -> None:
    run_part("dpu", "floats", tmp_path, waves=waves)


def test_dpu_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("dpu", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_dpu_of_one_octet(tmp_path: Path) -> None:
    run_part("dpu", "single", tmp_path)


def test_answers_of_64_bits(icarus: str, tmp_path: Path) -> None:
    run_part("dpu", "wide answers", tmp_path, simulator=icarus)
