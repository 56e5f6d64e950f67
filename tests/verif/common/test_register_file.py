"""The register file alone, for two families and under both simulators."""

from pathlib import Path

import pytest

from tests.verif.common.families import FAMILIES, LAUNCHES, NARROW, OTHER_SIZES
from verif.common.parts import run_common_bench
from verif.runner import Waves


@pytest.mark.dear("dbpim")
@pytest.mark.promise("every slice shows what was stored in it last, whichever slices are written")
@pytest.mark.parametrize("family", LAUNCHES)
def test_families(family: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("register_file", FAMILIES[family], tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("family", NARROW)
def test_narrow_under_icarus(family: str, icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("register_file", NARROW[family], tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", OTHER_SIZES)
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("register_file", OTHER_SIZES[size], tmp_path, waves)
