"""The part `answer_buffer` alone, under both simulators."""

from pathlib import Path

import pytest

from verif.mram.chip_parts import run_part
from verif.runner import Waves


def test_answer_buffer(tmp_path: Path, waves: Waves | None) -> None:
    run_part("answer_buffer", "tiny", tmp_path, waves=waves)


def test_answer_buffer_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("answer_buffer", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_answer_buffer_of_one_octet(tmp_path: Path) -> None:
    run_part("answer_buffer", "single", tmp_path)


def test_answers_of_64_bits(icarus: str, tmp_path: Path) -> None:
    run_part("answer_buffer", "wide answers", tmp_path, simulator=icarus)


def test_answer_buffer_of_a_wide_port(icarus: str, tmp_path: Path) -> None:
    run_part("answer_buffer", "wide port", tmp_path, simulator=icarus)
