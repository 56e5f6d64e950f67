"""The macro against golden, cycle by cycle, sparse and dense, under both simulators."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from hwgen.dbpim.facts.arch import Arch, MacroSize, with_sparsity
from hwgen.dbpim.rtl.macro import Macro
from verif.dbpim.component import narrow, paired, settings, small
from verif.lint import lint_part
from verif.runner import Waves, build, run

SWITCHES = ["all", "none", "weight_bits", "input_bits"]
GRID = [
    (4, 8, 4, 1, "all"),
    (4, 8, 16, 4, "weight_bits"),
    (8, 16, 32, 16, "input_bits"),
    (16, 8, 4, 2, "none"),
    (16, 16, 16, 32, "all"),
]
"""Compartments, columns, rows, position vectors of partial sums, switches."""


def run_macro(
    arch: Arch, folder: Path, waves: Waves | None = None, *, simulator: str = "verilator"
) -> None:
    bench = build(Macro(arch=arch), simulator=simulator, waves=waves)
    run(bench, module="verif.dbpim.bench_macro", folder=folder, settings=settings(arch))


@pytest.mark.promise(
    "sums of every result equal golden, sparse and dense, extreme cells and groups included"
)
@pytest.mark.promise("issue, leave and result are in their documented cycles, with any stalls")
@pytest.mark.promise("after a reset at any time the macro starts from its reset state")
def test_small_macro(tmp_path: Path, waves: Waves | None) -> None:
    run_macro(small(), tmp_path, waves)


@pytest.mark.promise(
    "an array may take two cycles, each later one is the model's; an architecture that does not"
    " say so is the same"
)
@pytest.mark.parametrize("switches", ["all", pytest.param("none", marks=pytest.mark.long)])
def test_array_of_two_cycles(switches: str, tmp_path: Path) -> None:
    run_macro(with_sparsity(replace(small(), array_cycles=2), switches), tmp_path)


@pytest.mark.dear
@pytest.mark.promise(
    "synchronous cells are given their row at the issue and take the cycles of combinational"
    " ones; SRAMs of one port may be the cells"
)
@pytest.mark.parametrize("array_cycles", [1, 2])
@pytest.mark.parametrize("switches", ["all", pytest.param("none", marks=pytest.mark.long)])
def test_synchronous_cells(switches: str, array_cycles: Literal[1, 2], tmp_path: Path) -> None:
    arch = replace(small(), cells="synchronous", array_cycles=array_cycles)
    run_macro(with_sparsity(arch, switches), tmp_path)


@pytest.mark.dear
@pytest.mark.promise(
    "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as golden,"
    " in their cycles"
)
@pytest.mark.parametrize("array_cycles", [1, 2])
def test_pairs(array_cycles: Literal[1, 2], tmp_path: Path) -> None:
    run_macro(replace(paired(), array_cycles=array_cycles), tmp_path)


@pytest.mark.long
def test_pairs_of_other_sizes(tmp_path: Path) -> None:
    run_macro(replace(paired(), cells="synchronous", psum_entries=32), tmp_path)
    run_macro(replace(narrow(), one_digit="paired"), tmp_path)


@pytest.mark.long
def test_narrow_dense_macro(tmp_path: Path, waves: Waves | None) -> None:
    run_macro(with_sparsity(narrow(), "none"), tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("switches", ["all", "input_bits"])
def test_narrow_macro_under_icarus(switches: str, icarus: str, tmp_path: Path) -> None:
    run_macro(with_sparsity(narrow(), switches), tmp_path, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", GRID)
def test_macro_of_other_sizes(
    size: tuple[int, Literal[8, 16], int, int, str], tmp_path: Path
) -> None:
    compartments, columns, rows, vectors, switches = size
    arch = replace(
        small(),
        macro=MacroSize(compartments=compartments, columns=columns, rows=rows),
        tile_rows=rows // 2,
        simd_lanes=min(small().simd_lanes, compartments),
        mask_bytes=512,
        psum_entries=vectors * small().macros_per_core,
    )
    run_macro(with_sparsity(arch, switches), tmp_path)


@pytest.mark.dear("none")
@pytest.mark.promise("Verilator -Wall is silent for every sparsity")
@pytest.mark.parametrize("switches", SWITCHES)
def test_lint_clean(switches: str) -> None:
    assert lint_part(Macro(arch=with_sparsity(small(), switches))) == ""
    assert lint_part(Macro(arch=with_sparsity(narrow(), switches))) == ""
    assert lint_part(Macro(arch=with_sparsity(paired(), switches))) == ""
    clocked = replace(small(), cells="synchronous", array_cycles=2)
    assert lint_part(Macro(arch=with_sparsity(clocked, switches))) == ""
