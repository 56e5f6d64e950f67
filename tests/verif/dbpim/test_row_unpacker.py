"""The decoder of packed rows alone, under both simulators."""

from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.row_unpacker import RowUnpacker
from hwgen.dbpim.rtl.table_loader import TableLoader
from verif.common.side_by_side import SideBySide
from verif.dbpim.system_parts import narrow, other_sizes, run_system_bench, small
from verif.runner import Waves


def run(arch: Arch, folder: Path, waves: Waves | None, simulator: str = "verilator") -> None:
    # The decoder has no registers; a small part beside it brings the clock.
    parts = SideBySide(parts=[RowUnpacker(arch=arch), TableLoader(arch=arch)])
    run_system_bench("row_unpacker", arch, folder, waves, simulator=simulator, parts=parts)


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run(small(), tmp_path, waves)


def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run(narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", ["widest_port", "port_128"])
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run(other_sizes()[size], tmp_path, waves)
