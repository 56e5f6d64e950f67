"""The row unit against golden: softmax and layer norm, every result and its cycle."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch, load_arch
from hwgen.dbpim.facts.arch import RowUnit as RowUnitFacts
from hwgen.dbpim.rtl.floats_loader import FloatsLoader
from hwgen.dbpim.rtl.row_unit import RowUnit
from verif.dbpim.component import CONFIGS, settings
from verif.lint import lint_part
from verif.runner import Waves, build, run

SMALL = load_arch(CONFIGS / "small_rows.yaml")
LARGE = replace(
    SMALL,
    macros_per_core=4,
    macro=replace(SMALL.macro, compartments=16),
    port_bits=256,
    simd_lanes=16,
    row_unit=RowUnitFacts(lanes=4),
)


def run_row_unit(arch: Arch, folder: Path, waves: Waves | None) -> None:
    bench = build(RowUnit(arch=arch), waves=waves)
    run(bench, module="verif.dbpim.bench_row_unit", folder=folder, settings=settings(arch))


@pytest.mark.promise(
    "the row unit gives golden's bytes of softmax and layer norm whatever waits, and each"
    " result in its cycle where nothing waits; it counts its events, keeps its numbers while"
    " other steps end, and begins anew after a reset in a step"
)
def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_row_unit(SMALL, tmp_path, waves)


@pytest.mark.long
def test_large(tmp_path: Path, waves: Waves | None) -> None:
    run_row_unit(LARGE, tmp_path, waves)


@pytest.mark.dear("FloatsLoader")
@pytest.mark.parametrize("part", [RowUnit, FloatsLoader])
def test_lint_clean(part: type) -> None:
    assert lint_part(part(arch=SMALL)) == ""
