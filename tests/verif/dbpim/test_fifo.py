# amaranth: UnusedElaboratable=no
"""The fifo alone, under both simulators."""

from pathlib import Path

import pytest
from hwgen.rtl.dbpim.fifo import Fifo

from verif.dbpim.system_parts import narrow, other_sizes, run_system_bench, small, wide
from verif.runner import Waves


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("fifo", small(), tmp_path, waves)


def test_wide(tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("fifo", wide(), tmp_path, waves)


def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("fifo", narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", other_sizes())
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("fifo", other_sizes()[size], tmp_path, waves)


@pytest.mark.parametrize("depth", [0, 1, 6])
def test_a_depth_is_a_power_of_two(depth: int) -> None:
    with pytest.raises(ValueError, match=f"power of two above 1, got {depth}"):
        Fifo(depth=depth, width=1)
