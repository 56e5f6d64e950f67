"""The sequencer alone, under both simulators."""

from pathlib import Path

import pytest

from verif.dbpim.system_parts import narrow, other_sizes, run_system_bench, small, wide
from verif.runner import Waves


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("sequencer", small(), tmp_path, waves)


@pytest.mark.long
def test_wide(tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("sequencer", wide(), tmp_path, waves)


def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("sequencer", narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", other_sizes())
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("sequencer", other_sizes()[size], tmp_path, waves)
