"""A core alone: random steps against golden, one convolution cycle by cycle."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import SWITCHES, Arch, with_sparsity
from hwgen.dbpim.rtl.core import Core
from verif.dbpim.component import paired, settings, short_words, small
from verif.lint import lint_part
from verif.runner import Waves, build, run

SMALL = small()
DENSE = replace(
    with_sparsity(SMALL, "none"),
    macros_per_core=4,
    bus_words=4,
    simd_lanes=2,
    macro=replace(SMALL.macro, compartments=4, columns=8),
)
LARGE = replace(
    SMALL,
    cores=8,
    macros_per_core=4,
    macro=replace(SMALL.macro, compartments=16, rows=16),
    tile_rows=8,
    switch_rate=8,
    queue_depth=8,
    buffer_bytes=16384,
    psum_entries=128,
    mask_bytes=1024,
    simd_lanes=16,
    port_bits=256,
)
"""A core as large as the paper's."""

ONE_MACRO = replace(SMALL, macros_per_core=1, bus_words=1, psum_entries=4, simd_lanes=4)


def run_core(arch: Arch, folder: Path, waves: Waves | None, simulator: str = "verilator") -> None:
    bench = build(Core(arch=arch), simulator=simulator, waves=waves)
    smoke = int(simulator != "verilator")
    for module in ("bench_core_cycles", "bench_core"):
        facts = settings(arch, SMOKE=smoke)
        run(bench, module=f"verif.dbpim.{module}", folder=folder, settings=facts)


@pytest.mark.promise(
    "the bank of a result is read before the fetcher's words, and no bank without an addition"
)
@pytest.mark.promise(
    "every result of random steps is written once, to the banks or the bus, and is golden's"
)
@pytest.mark.promise("without stalls, issues, requests and idleness are in the published cycles")
@pytest.mark.promise(
    "a row computes in the cycle after it was written, and nothing issues in between"
)
@pytest.mark.promise(
    "what a step has written stands in the banks, whatever the bus brings in between"
)
def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_core(SMALL, tmp_path, waves)


@pytest.mark.dear
@pytest.mark.promise(
    "two filter groups of one digit share the rows of a tile, each in cells of its own; what a"
    " group lacks adds nothing"
)
def test_pairs_of_filter_groups(tmp_path: Path, waves: Waves | None) -> None:
    run_core(paired(), tmp_path, waves)


@pytest.mark.dear
@pytest.mark.promise(
    "words of fewer channels than a macro has compartments fill a group one after the other"
)
def test_short_words(tmp_path: Path, waves: Waves | None) -> None:
    run_core(short_words(), tmp_path, waves)


@pytest.mark.long
def test_synchronous_cells(tmp_path: Path, waves: Waves | None) -> None:
    run_core(replace(SMALL, cells="synchronous"), tmp_path, waves)


@pytest.mark.long
def test_dense(tmp_path: Path, waves: Waves | None) -> None:
    run_core(DENSE, tmp_path, waves)


@pytest.mark.long
def test_small_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_core(SMALL, tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("switch", SWITCHES)
def test_one_switch_alone(switch: str, tmp_path: Path, waves: Waves | None) -> None:
    run_core(with_sparsity(SMALL, switch), tmp_path, waves)


@pytest.mark.long
def test_like_the_paper(tmp_path: Path, waves: Waves | None) -> None:
    run_core(LARGE, tmp_path, waves)


@pytest.mark.long
def test_one_macro(tmp_path: Path, waves: Waves | None) -> None:
    run_core(ONE_MACRO, tmp_path, waves)


@pytest.mark.dear
@pytest.mark.promise("Verilator -Wall is silent")
def test_lint_clean() -> None:
    assert lint_part(Core(arch=SMALL)) == ""
    assert lint_part(Core(arch=replace(SMALL, cells="synchronous"))) == ""
    assert lint_part(Core(arch=DENSE)) == ""
