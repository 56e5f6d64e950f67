"""The store of depthwise weights against lists, cycle by cycle, under both simulators."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.tap_store import TapStore
from verif.dbpim.component import narrow, settings, small
from verif.lint import lint_part
from verif.runner import Waves, build, run


def run_taps(arch: Arch, simulator: str, folder: Path, waves: Waves | None) -> None:
    bench = build(TapStore(arch=arch), simulator=simulator, waves=waves)
    run(bench, module="verif.dbpim.bench_tap_store", folder=folder, settings=settings(arch))


@pytest.mark.promise("TAPS come and go as in lists, at any pace of loader, walker and lanes")
def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_taps(small(), "verilator", tmp_path, waves)


@pytest.mark.long
def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_taps(narrow(), icarus, tmp_path, waves)


@pytest.mark.long
def test_wide(tmp_path: Path, waves: Waves | None) -> None:
    arch = replace(small(), macro=replace(small().macro, compartments=16), simd_taps=64)
    run_taps(arch, "verilator", tmp_path, waves)


@pytest.mark.promise("the Verilog is free of lint")
def test_lint_clean() -> None:
    assert lint_part(TapStore(arch=small())) == ""
