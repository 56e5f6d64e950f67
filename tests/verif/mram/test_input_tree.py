"""Planes and rows of weights arrive a cycle later."""

from pathlib import Path

import pytest

from verif.mram.array_parts import run_part
from verif.runner import Waves


def test_input_tree(tmp_path: Path, waves: Waves | None) -> None:
    run_part("input_tree", "tiny", tmp_path, waves=waves)


def test_input_tree_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("input_tree", "single", tmp_path, simulator=icarus)


@pytest.mark.long
def test_input_tree_of_one_octet(tmp_path: Path) -> None:
    run_part("input_tree", "single", tmp_path)
