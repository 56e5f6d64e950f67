"""The table against golden, at every port width and number of copies, under both simulators."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.table_store import TableStore
from verif.dbpim.component import narrow, settings, small
from verif.lint import lint_part
from verif.runner import Waves, build, run


def run_table(arch: Arch, simulator: str, folder: Path, waves: Waves | None) -> None:
    bench = build(TableStore(arch=arch), simulator=simulator, waves=waves)
    run(bench, module="verif.dbpim.bench_table_store", folder=folder, settings=settings(arch))


@pytest.mark.promise("every entry is looked up as golden says, and no table in use is overwritten")
def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_table(small(), "verilator", tmp_path, waves)


@pytest.mark.long
def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_table(narrow(), icarus, tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("port_bits", [128, 256, 512])
def test_port_widths(port_bits: int, tmp_path: Path, waves: Waves | None) -> None:
    arch = replace(small(), port_bits=port_bits, simd_lanes=4)
    run_table(arch, "verilator", tmp_path, waves)


@pytest.mark.promise("the Verilog is free of lint")
def test_lint_clean() -> None:
    assert lint_part(TableStore(arch=small())) == ""
    assert lint_part(TableStore(arch=replace(small(), port_bits=512))) == ""
