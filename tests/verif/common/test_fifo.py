"""The fifo alone, for two families and under both simulators."""

from pathlib import Path

import pytest

from tests.verif.common.families import FAMILIES, LAUNCHES, NARROW, OTHER_SIZES
from verif.common.parts import run_common_bench
from verif.runner import Waves


@pytest.mark.dear("dbpim")
@pytest.mark.promise(
    "words leave in the order in which they came, at any gaps and stalls; a full one takes nothing"
)
@pytest.mark.promise("a flush forgets everything, the word that comes in included")
@pytest.mark.parametrize("family", LAUNCHES)
def test_families(family: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("fifo", FAMILIES[family], tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("family", NARROW)
def test_narrow_under_icarus(family: str, icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("fifo", NARROW[family], tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", OTHER_SIZES)
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("fifo", OTHER_SIZES[size], tmp_path, waves)
