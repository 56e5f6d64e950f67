"""The tile loader alone, under both simulators."""

from pathlib import Path

import pytest

from hwgen.dbpim.rtl.tile_loader import TileLoader
from verif.common.side_by_side import SideBySide
from verif.dbpim.system_parts import (
    narrow,
    other_sizes,
    packed_256,
    run_system_bench,
    small,
    wide,
)
from verif.runner import Waves


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("tile_loader", small(), tmp_path, waves)


@pytest.mark.long
def test_wide(tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("tile_loader", wide(), tmp_path, waves)


def test_rows_between_beats(tmp_path: Path, waves: Waves | None) -> None:
    arch = packed_256()
    alone = SideBySide(parts=[TileLoader(arch=arch)])
    run_system_bench("tile_loader", arch, tmp_path, waves, parts=alone)


def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("tile_loader", narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", other_sizes())
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_system_bench("tile_loader", other_sizes()[size], tmp_path, waves)
