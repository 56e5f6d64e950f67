"""The requantizer against golden and vectors worked by hand, with the roundings of each chip."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from hwgen.chip.rtl.requantizer import Requantizer
from hwgen.network.quantization import Rounding
from verif.common.bench_requantizer import BITS, COUNT, ROUNDINGS, STAGES
from verif.runner import Waves, build, run

CHIPS: dict[str, tuple[tuple[Rounding, ...], int, int]] = {
    "half_up": (("half_up",), 16, 1),
    "float32": (("half_up", "float32"), 24, 1),
    "all": (("half_up", "float32", "tflite"), 31, 1),
    "staged": (("half_up", "float32"), 24, 3),
    "all_staged": (("half_up", "float32", "tflite"), 31, 3),
}
"""Roundings, bits of the multiplier, and stages."""
PAIRS = 250_000
"""Random pairs of each rounding in each of the four runs of the long test."""


def run_requantizer(
    chip: str, folder: Path, waves: Waves | None, *, simulator: str = "verilator", count: int = 400
) -> None:
    roundings, bits, stages = CHIPS[chip]
    part = Requantizer(
        family="any",
        roundings=roundings,
        accumulator_bits=32,
        multiplier_bits=bits,
        element_bits=8,
        stages=stages,
    )
    settings = {ROUNDINGS: ",".join(roundings), BITS: str(bits), COUNT: str(count)}
    settings[STAGES] = str(stages)
    run_part(part, settings, folder, waves, simulator=simulator)


def run_part(
    part: Requantizer,
    settings: Mapping[str, str],
    folder: Path,
    waves: Waves | None = None,
    *,
    simulator: str = "verilator",
) -> None:
    bench = build(part, simulator=simulator, waves=waves)
    run(bench, module="verif.common.bench_requantizer", folder=folder, settings=settings)


@pytest.mark.dear("half_up")
@pytest.mark.promise(
    "vectors worked by hand, corners and random pairs of every rounding come out as golden"
    " says, one a cycle, and hold"
)
@pytest.mark.promise("a factor of one keeps the int32")
@pytest.mark.parametrize("chip", ["half_up", "float32", "all"])
def test_requantizer(chip: str, tmp_path: Path, waves: Waves | None) -> None:
    run_requantizer(chip, tmp_path, waves)


@pytest.mark.dear("staged")
@pytest.mark.promise(
    "a requantizer of three stages computes the same, whenever each of them is loaded"
)
@pytest.mark.parametrize("chip", ["staged", "all_staged"])
def test_stages_move_on_their_own(chip: str, tmp_path: Path, waves: Waves | None) -> None:
    run_requantizer(chip, tmp_path, waves)


@pytest.mark.long
def test_requantizer_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_requantizer("all", tmp_path, waves, simulator=icarus, count=50)


@pytest.mark.long
def test_a_million_pairs_of_each_rounding(tmp_path: Path, waves: Waves | None) -> None:
    run_requantizer("all", tmp_path, waves, count=PAIRS)
