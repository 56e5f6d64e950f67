"""The output stage against golden, each write in its cycle."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch, with_sparsity
from hwgen.dbpim.rtl.output_stage import OutputStage
from verif.dbpim.component import floats, paired, settings, small
from verif.runner import Waves, build, run

# The tile store answers in the cycle of the question.
TILES = """
reg [11:0] groups [0:7];
reg [{top}:0] parameters [0:7];
always @* begin
  result_group = groups[{{{second}, result_tile}}];
  result_parameters = parameters[{{{second}, result_tile}}];
end
"""
# Behind the groups of tiles are the second ones of pairs.
PAIRS = """
reg doubles [0:3];
always @* result_double = doubles[result_tile];
"""
SMALL = small()
DENSE = replace(with_sparsity(SMALL, "none"), macros_per_core=4)


def run_output_stage(arch: Arch, simulator: str, folder: Path, waves: Waves | None) -> None:
    part = OutputStage(arch=arch)
    top = len(part.result_parameters.as_value()) - 1
    harness = TILES.format(top=top, second="result_second" if arch.pairs else "1'b0")
    harness += PAIRS if arch.pairs else ""
    bench = build(part, harness=harness, simulator=simulator, waves=waves)
    run(bench, module="verif.dbpim.bench_output_stage", folder=folder, settings=settings(arch))


@pytest.mark.promise(
    "every emitted result is written once, to its place, as golden's bytes or int32"
)
@pytest.mark.promise(
    "results are taken and requested in their documented cycles at any gaps and stalls"
)
@pytest.mark.promise(
    "ends of tiles are reported with the results that carry them, dropped ones included"
)
def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_output_stage(SMALL, "verilator", tmp_path, waves)


@pytest.mark.dear
@pytest.mark.promise("parts with requantizers that round as float32 compute what golden does")
def test_with_float32(tmp_path: Path, waves: Waves | None) -> None:
    run_output_stage(floats(), "verilator", tmp_path, waves)


@pytest.mark.dear
@pytest.mark.promise(
    "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as golden,"
    " in their cycles"
)
def test_pairs(tmp_path: Path, waves: Waves | None) -> None:
    run_output_stage(paired(), "verilator", tmp_path, waves)


@pytest.mark.dear
def test_pairs_with_four_macros(tmp_path: Path, waves: Waves | None) -> None:
    arch = replace(paired(), macros_per_core=4, bus_words=4)
    run_output_stage(arch, "verilator", tmp_path, waves)


@pytest.mark.dear
def test_dense_with_four_macros(tmp_path: Path, waves: Waves | None) -> None:
    run_output_stage(DENSE, "verilator", tmp_path, waves)


@pytest.mark.long
def test_small_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_output_stage(SMALL, icarus, tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("macros", [1, 8])
@pytest.mark.parametrize("compartments", [8, 16])
@pytest.mark.parametrize("columns", [8, 16])
def test_sizes(
    macros: int, compartments: int, columns: int, tmp_path: Path, waves: Waves | None
) -> None:
    macro = replace(SMALL.macro, compartments=compartments, columns=columns)
    arch = replace(SMALL, macros_per_core=macros, bus_words=1, macro=macro)
    run_output_stage(arch, "verilator", tmp_path, waves)
