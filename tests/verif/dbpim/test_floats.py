"""Float arithmetic of the row unit: against golden at full width, exhaustively in small formats."""

from pathlib import Path

import pytest

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.rtl.byte_divider import ByteDivider
from hwgen.dbpim.rtl.float_divider import FloatDivider, FloatRoot
from hwgen.dbpim.rtl.float_sum import FloatSum
from hwgen.dbpim.rtl.floats import FLOAT32, FloatSize
from hwgen.dbpim.rtl.fma import FloatAdder, FloatMultiplier, Fma
from verif.common.side_by_side import SideBySide
from verif.dbpim.bench_byte_divider import COUNT as DIVISORS
from verif.dbpim.bench_fma import COUNT, OPERATION, SIZE
from verif.lint import lint_part
from verif.runner import Waves, build, run

PIPELINES = {"fma": Fma, "add": FloatAdder, "multiply": FloatMultiplier}
SMALL = FloatSize(3, 3)
LARGER = FloatSize(4, 3)
"""All triples of finite numbers: 175,616 and 1,404,928."""
DRAWN = 500_000
"""Drawn cases of each of the two runs of the long test."""


def run_pipeline(
    operation: str,
    folder: Path,
    waves: Waves | None = None,
    *,
    simulator: str = "verilator",
    size: FloatSize = FLOAT32,
    count: int = 8000,
) -> None:
    bench = build(PIPELINES[operation](size=size), simulator=simulator, waves=waves)
    settings = {OPERATION: operation, SIZE: ",".join(map(str, size)), COUNT: str(count)}
    run(bench, module="verif.dbpim.bench_fma", folder=folder, settings=settings)


@pytest.mark.dear("add")
@pytest.mark.promise(
    "float additions, multiplications and both with one rounding are golden's in every bit,"
    " edges and subnormal numbers included, and a plain multiplier's and adder's for every"
    " operand of a small format"
)
@pytest.mark.parametrize("operation", PIPELINES)
def test_pipeline(operation: str, tmp_path: Path, waves: Waves | None) -> None:
    run_pipeline(operation, tmp_path, waves)


@pytest.mark.dear
@pytest.mark.parametrize("operation", PIPELINES)
def test_every_operand_of_a_small_format(
    operation: str, tmp_path: Path, waves: Waves | None
) -> None:
    run_pipeline(operation, tmp_path, waves, size=SMALL)


@pytest.mark.long
def test_every_operand_of_a_larger_format(tmp_path: Path, waves: Waves | None) -> None:
    run_pipeline("fma", tmp_path, waves, size=LARGER)


@pytest.mark.long
@pytest.mark.parametrize("operation", PIPELINES)
def test_a_million_drawn_cases(operation: str, tmp_path: Path, waves: Waves | None) -> None:
    run_pipeline(operation, tmp_path, waves, count=DRAWN)


@pytest.mark.long
def test_pipeline_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_pipeline("add", tmp_path, waves, simulator=icarus, size=SMALL)


@pytest.mark.dear("FloatSum")
@pytest.mark.parametrize(
    "part", [*PIPELINES.values(), FloatSum, FloatDivider, FloatRoot, ByteDivider]
)
def test_lint_clean(part: type[Part]) -> None:
    assert lint_part(part()) == ""


def run_sum(folder: Path, waves: Waves | None = None) -> None:
    bench = build(FloatSum(), waves=waves)
    run(bench, module="verif.dbpim.bench_float_sum", folder=folder)


@pytest.mark.promise(
    "sums of positive floats, quotients, means of exact sums and square roots are golden's in"
    " every bit, and come in a known clock"
)
def test_sum_of_positive_numbers(tmp_path: Path, waves: Waves | None) -> None:
    run_sum(tmp_path, waves)


def divider_and_root() -> Part:
    """Return the two parts of one bench."""
    return SideBySide(parts=[FloatDivider(), FloatRoot()])


def run_divider_and_root(folder: Path, waves: Waves | None = None) -> None:
    bench = build(divider_and_root(), waves=waves)
    run(bench, module="verif.dbpim.bench_float_divider", folder=folder)


@pytest.mark.dear
def test_division_and_root(tmp_path: Path, waves: Waves | None) -> None:
    run_divider_and_root(tmp_path, waves)


def run_byte_divider(folder: Path, waves: Waves | None = None, *, count: int = 60) -> None:
    bench = build(ByteDivider(), waves=waves)
    settings = {DIVISORS: str(count)}
    run(bench, module="verif.dbpim.bench_byte_divider", folder=folder, settings=settings)


@pytest.mark.promise(
    "a quotient that leaves as a byte is rounded to a float first, so that ties are those of floats"
)
def test_division_to_bytes(tmp_path: Path, waves: Waves | None) -> None:
    run_byte_divider(tmp_path, waves)


@pytest.mark.long
def test_half_a_million_divisions_to_bytes(tmp_path: Path, waves: Waves | None) -> None:
    run_byte_divider(tmp_path, waves, count=4000)
