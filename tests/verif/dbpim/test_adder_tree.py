"""Counts of ones, against golden."""

from pathlib import Path

import pytest

from verif.dbpim.macro_parts import LONG_SIZES, run_part
from verif.runner import Waves


def test_adder_tree(tmp_path: Path, waves: Waves | None) -> None:
    run_part("adder_tree", "small", tmp_path, waves=waves)


def test_adder_tree_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("adder_tree", "narrow dense", tmp_path, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", LONG_SIZES)
def test_adder_tree_of_other_sizes(size: str, tmp_path: Path) -> None:
    run_part("adder_tree", size, tmp_path)
