"""Rows of units are windows of golden, whatever the ring and the port do."""

from pathlib import Path

import pytest

from verif.crossbar.small_parts import alone
from verif.runner import Waves, build, run


@pytest.mark.promise(
    "a loader fills units with golden's windows and their sums, from a ring shorter than the"
    " maps, whatever the port does, where a block has no copies too"
)
def test_loader(icarus: str, tmp_path: Path) -> None:
    run_loader(tmp_path, icarus)


@pytest.mark.long
def test_loader_under_verilator(tmp_path: Path, waves: Waves | None) -> None:
    run_loader(tmp_path, "verilator", waves)


def run_loader(folder: Path, simulator: str, waves: Waves | None = None) -> None:
    """Run the bench."""
    bench = build(alone("loader"), simulator=simulator, waves=waves)
    run(bench, module="verif.crossbar.bench_loader", folder=folder)
