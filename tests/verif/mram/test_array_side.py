"""Convolutions on the array side against golden, every cycle by the rule."""

from pathlib import Path

import pytest

from hwgen.mram.facts.arch import Arch
from verif.lint import lint_part
from verif.mram.array_side import ArraySide
from verif.mram.component import any_kernel, overlapped, settings, single, tiny, with_twins
from verif.runner import Waves, build, run


def run_side(
    arch: Arch, folder: Path, waves: Waves | None = None, *, simulator: str = "verilator"
) -> None:
    bench = build(ArraySide(arch=arch), simulator=simulator, waves=waves)
    run(bench, module="verif.mram.bench_array_side", folder=folder, settings=settings(arch))


@pytest.mark.dear
@pytest.mark.promise(
    "so are values, cycles and events of chips with options of the architecture, whatever the"
    " memory's pace"
)
@pytest.mark.parametrize(
    "arch", [overlapped(), with_twins(), any_kernel()], ids=["overlap", "twins", "any"]
)
def test_convolutions_with_options(arch: Arch, tmp_path: Path) -> None:
    run_side(arch, tmp_path)


@pytest.mark.promise(
    "convolutions of random shapes and placements are exact, and every cycle of their reads,"
    " planes and sums is that of the rule"
)
def test_convolutions_on_tiny(tmp_path: Path, waves: Waves | None) -> None:
    run_side(tiny(), tmp_path, waves)


@pytest.mark.dear("tiny")
@pytest.mark.promise("the Verilog of the array side is free of lint at every size")
@pytest.mark.parametrize(
    "arch",
    [tiny(), single(), with_twins(), any_kernel()],
    ids=["tiny", "single", "options", "any"],
)
def test_lint_clean(arch: Arch) -> None:
    assert lint_part(ArraySide(arch=arch)) == ""
