# amaranth: UnusedElaboratable=no
"""The decoder of packed rows alone, under both simulators."""

from pathlib import Path

import pytest

from verif.dbpim.system_parts import narrow, other_sizes, run_system_bench, small
from verif.runner import Waves


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("row_unpacker", small(), tmp_path, waves)


def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("row_unpacker", narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", ["widest_port", "port_128"])
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("row_unpacker", other_sizes()[size], tmp_path, waves)
