"""The read engine alone, for two families and under both simulators."""

from pathlib import Path

import pytest

from tests.verif.common.families import FAMILIES, LAUNCHES, NARROW, OTHER_SIZES
from verif.common.parts import run_common_bench
from verif.runner import Waves


@pytest.mark.dear("dbpim")
@pytest.mark.promise(
    "all beats of all commands arrive once and in order, at any pauses of memory and loader"
)
@pytest.mark.promise(
    "every burst is as long and leaves in its documented cycle, never over 4 KiB, never without"
    " a place"
)
@pytest.mark.promise(
    "a bad response is reported with its beat; a stop drains the port and all begins anew"
)
@pytest.mark.parametrize("family", LAUNCHES)
def test_families(family: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("read_engine", FAMILIES[family], tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("family", NARROW)
def test_narrow_under_icarus(family: str, icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("read_engine", NARROW[family], tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", OTHER_SIZES)
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("read_engine", OTHER_SIZES[size], tmp_path, waves)
