"""`line_memory` alone, under both simulators."""

from pathlib import Path

import pytest

from verif.common.line_parts import run_line_bench
from verif.runner import Waves


@pytest.mark.promise(
    "the chip by AXI4 and the host byte by byte see one memory, and an error beyond its end"
)
def test_line_memory(tmp_path: Path, waves: Waves | None) -> None:
    run_line_bench("line_memory", tmp_path, waves)


@pytest.mark.long
def test_line_memory_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_line_bench("line_memory", tmp_path, waves, simulator=icarus)
