"""Signs and block indices are stored as written."""

from pathlib import Path

import pytest

from verif.dbpim.macro_parts import LONG_SIZES, run_part
from verif.runner import Waves


def test_meta_array(tmp_path: Path, waves: Waves | None) -> None:
    run_part("meta_array", "small", tmp_path, waves=waves)


def test_meta_array_under_icarus(icarus: str, tmp_path: Path) -> None:
    run_part("meta_array", "narrow dense", tmp_path, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", LONG_SIZES)
def test_meta_array_of_other_sizes(size: str, tmp_path: Path) -> None:
    run_part("meta_array", size, tmp_path)
