"""The SIMD unit against golden: every operation, every port in every cycle."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.simd import Simd
from verif.dbpim.component import floats, litert, narrow, rows, settings, small
from verif.lint import lint_part
from verif.runner import Waves, build, run

SMALL = small()
ONE_PART = replace(SMALL, macros_per_core=4, simd_lanes=32, port_bits=256)
FEW_LANES = replace(SMALL, macros_per_core=4, psum_entries=16, simd_lanes=2)
PAPER = replace(SMALL.macro, compartments=16, rows=16)
LARGE = replace(SMALL, macros_per_core=4, macro=PAPER, simd_lanes=16, port_bits=512)


def run_simd(arch: Arch, simulator: str, folder: Path, waves: Waves | None) -> None:
    bench = build(Simd(arch=arch), simulator=simulator, waves=waves)
    run(bench, module="verif.dbpim.bench_simd", folder=folder, settings=settings(arch))


@pytest.mark.long
def test_with_float32(tmp_path: Path, waves: Waves | None) -> None:
    run_simd(floats(), "verilator", tmp_path, waves)


ROWS = rows()
"""They round as float32, too."""


PRODUCTS = pytest.mark.promise(
    "products of two maps equal golden, both zero points subtracted, and a held word takes one"
    " cycle"
)


@pytest.mark.dear
@PRODUCTS
def test_products_of_two_maps(tmp_path: Path, waves: Waves | None) -> None:
    run_simd(ROWS, "verilator", tmp_path, waves)


@PRODUCTS
@pytest.mark.dear("4")
@pytest.mark.promise(
    "lanes that round as LiteRT equal golden, squared differences of two scaled maps included"
)
@pytest.mark.parametrize("lanes", [1, 4])
def test_roundings_of_litert(lanes: int, tmp_path: Path, waves: Waves | None) -> None:
    arch = replace(litert(), lanes_per_requantizer=lanes)
    run_simd(arch, "verilator", tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("lanes", [1, 4])
def test_products_of_one_part(lanes: int, tmp_path: Path, waves: Waves | None) -> None:
    arch = replace(ROWS, simd_lanes=16, lanes_per_requantizer=lanes)
    run_simd(arch, "verilator", tmp_path, waves)


@pytest.mark.promise(
    "every operation equals golden in all lanes, extremes, rotation and sums of three bytes"
    " included"
)
@pytest.mark.promise(
    "every part and result has its cycle at any gaps, and the unit stalls with its result"
)
@pytest.mark.promise("words wait for their TAPS or table, whatever steps come before")
def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_simd(SMALL, "verilator", tmp_path, waves)


@pytest.mark.dear
@pytest.mark.promise(
    "lanes that share requantizers take turns, in RTL as in the model, and windows of enough"
    " taps pay nothing"
)
def test_shared_requantizers(tmp_path: Path, waves: Waves | None) -> None:
    run_simd(replace(SMALL, lanes_per_requantizer=4), "verilator", tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("lanes", [2, 8])
def test_shared_requantizers_of_one_part(lanes: int, tmp_path: Path, waves: Waves | None) -> None:
    run_simd(replace(ONE_PART, lanes_per_requantizer=lanes), "verilator", tmp_path, waves)


@pytest.mark.long
def test_one_part(tmp_path: Path, waves: Waves | None) -> None:
    run_simd(ONE_PART, "verilator", tmp_path, waves)


@pytest.mark.long
def test_few_lanes(tmp_path: Path, waves: Waves | None) -> None:
    run_simd(FEW_LANES, "verilator", tmp_path, waves)


@pytest.mark.long
def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_simd(narrow(), icarus, tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("lanes", [1, 2, 4, 16])
def test_all_lanes_of_small(lanes: int, tmp_path: Path, waves: Waves | None) -> None:
    run_simd(replace(SMALL, simd_lanes=lanes), "verilator", tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("lanes", [1, 4, 8, 16, 32, 64])
def test_all_lanes_of_large(lanes: int, tmp_path: Path, waves: Waves | None) -> None:
    run_simd(replace(LARGE, simd_lanes=lanes), "verilator", tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("lanes", [2, 4])
def test_all_lanes_of_narrow(lanes: int, tmp_path: Path, waves: Waves | None) -> None:
    run_simd(replace(narrow(), simd_lanes=lanes), "verilator", tmp_path, waves)


SHARED = replace(LARGE, lanes_per_requantizer=4)


@pytest.mark.dear("arch5")
@pytest.mark.promise("the Verilog is free of lint")
@pytest.mark.parametrize("arch", [SMALL, ONE_PART, FEW_LANES, LARGE, SHARED, narrow(), ROWS])
def test_lint_clean(arch: Arch) -> None:
    assert lint_part(Simd(arch=arch)) == ""
