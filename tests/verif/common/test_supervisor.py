"""The supervisor alone, for two families and under both simulators."""

from pathlib import Path

import pytest

from tests.verif.common.families import FAMILIES, LAUNCHES, NARROW, OTHER_SIZES
from verif.common.parts import run_common_bench
from verif.runner import Waves


@pytest.mark.dear("dbpim")
@pytest.mark.promise(
    "runs end, fail and stall by the rules, the first error counts, every counter is exact"
)
@pytest.mark.promise(
    "each source of progress alone keeps the watchdog quiet, on the chip computing and writing"
)
@pytest.mark.promise("the watchdog stands still while the memory owes an answer")
@pytest.mark.parametrize("family", LAUNCHES)
def test_families(family: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("supervisor", FAMILIES[family], tmp_path, waves)


@pytest.mark.parametrize("family", [pytest.param("dbpim", marks=pytest.mark.long), "other"])
def test_narrow_under_icarus(family: str, icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("supervisor", NARROW[family], tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", OTHER_SIZES)
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("supervisor", OTHER_SIZES[size], tmp_path, waves)
