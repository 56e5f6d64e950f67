"""The registers alone, for two families and under both simulators."""

from pathlib import Path

import pytest

from tests.verif.common.families import FAMILIES, LAUNCHES, NARROW, OTHER_SIZES
from verif.common.parts import run_common_bench
from verif.runner import Waves


@pytest.mark.dear("dbpim")
@pytest.mark.promise(
    "every register of the table reads and is written as listed, at any pauses, byte by byte"
)
@pytest.mark.promise(
    "start is one pulse a cycle after its write; what cannot be written, or not while busy, is"
    " refused"
)
@pytest.mark.promise("the mode is switched between two images in one cycle, while the chip is busy")
@pytest.mark.promise(
    "the interrupt rises once a run, survives reads, is cleared by 1 while the next run goes"
    " on, and no end is lost"
)
@pytest.mark.parametrize("family", LAUNCHES)
def test_families(family: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("registers", FAMILIES[family], tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("family", NARROW)
def test_narrow_under_icarus(family: str, icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("registers", NARROW[family], tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", OTHER_SIZES)
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("registers", OTHER_SIZES[size], tmp_path, waves)
