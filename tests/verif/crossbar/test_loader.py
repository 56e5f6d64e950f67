"""Rows of units are windows of golden, whatever the ring and the port do."""

from pathlib import Path
from typing import Any

import pytest

from verif.crossbar.loader_case import Sizes, loader, settings
from verif.runner import Waves, build, run


def test_loader(icarus: str, tmp_path: Path) -> None:
    run_loader(tmp_path, icarus)


@pytest.mark.long
def test_loader_under_verilator(tmp_path: Path, waves: Waves | None) -> None:
    run_loader(tmp_path, "verilator", waves)


def run_loader(
    folder: Path, simulator: str = "verilator", waves: Waves | None = None, **sizes: Any
) -> None:
    """Run the bench; sizes: named as in `Sizes`."""
    bench = build(loader(Sizes(**sizes)), simulator=simulator, waves=waves)
    settings_of = settings(**sizes)
    run(bench, module="verif.crossbar.bench_loader", folder=folder, settings=settings_of)
