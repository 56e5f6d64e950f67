"""The residual adder against golden, each sum in its cycle, under both simulators."""

from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.residual_adder import ResidualAdder
from verif.dbpim.component import floats, narrow, settings, small
from verif.dbpim.feed_sizes import other_sizes, wide
from verif.lint import lint_part
from verif.runner import Waves, build, run


def run_adder(
    arch: Arch, folder: Path, waves: Waves | None, *, simulator: str = "verilator"
) -> None:
    bench = build(ResidualAdder(arch=arch), simulator=simulator, waves=waves)
    run(bench, module="verif.dbpim.bench_residual_adder", folder=folder, settings=settings(arch))


@pytest.mark.promise(
    "every sum is golden's sum of two requantized maps, in its documented cycle, at any gaps"
    " and stalls"
)
@pytest.mark.promise(
    "the bank of a result is read before the fetcher's words, and no bank without an addition"
)
def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_adder(small(), tmp_path, waves)


@pytest.mark.dear
@pytest.mark.promise("parts with requantizers that round as float32 compute what golden does")
def test_with_float32(tmp_path: Path, waves: Waves | None) -> None:
    run_adder(floats(), tmp_path, waves)


@pytest.mark.long
def test_wide(tmp_path: Path, waves: Waves | None) -> None:
    run_adder(wide(), tmp_path, waves)


@pytest.mark.long
def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_adder(narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", other_sizes())
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_adder(other_sizes()[size], tmp_path, waves)


def test_lint_clean() -> None:
    assert lint_part(ResidualAdder(arch=small())) == ""
    assert lint_part(ResidualAdder(arch=narrow())) == ""
    assert lint_part(ResidualAdder(arch=floats())) == ""
