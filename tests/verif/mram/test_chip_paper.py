"""ResNet20 whole on the paper chip: every layer in every width, cycles and events of the model."""

import numpy as np
import pytest

from hwgen.mram.compiler import recompile
from hwgen.mram.model import CycleModel
from hwgen.mram.sim import simulate
from tests.verif.mram.chips import (
    LONG,
    check_cycles,
    check_maps,
    chip_arch,
    compiled,
    every_switch,
    images_of,
)
from verif.mram.resnet20 import resnet20
from verif.mram.width_tables import draw_widths, retabled

ARCH = chip_arch("paper")
NETWORK = resnet20()
MODES = len(NETWORK.graph.modes)
MOST_CYCLES = 150_000
MOST_OF_THEM = (0.70, 0.50, 0.22)
"""Of the cycles of the widest mode: those of the others."""


def cycles_of_single_images(mapping: str) -> list[int]:
    """Run an image in each mode, each alone, and compare it; return the cycles."""
    program = compiled(NETWORK, ARCH, mapping=mapping)
    images, modes = images_of(NETWORK, MODES), list(range(MODES))
    runs = simulate(ARCH, program, images, modes=modes, limits=LONG)
    for mode, run in enumerate(runs):
        check_maps(run, NETWORK, images)
        check_cycles(run, program, ARCH, [mode])
        assert run.loading == CycleModel(program, ARCH).predict_load()
    return [run.cycles for run in runs]


@pytest.mark.long
def test_latency_follows_width() -> None:
    cycles = cycles_of_single_images("positions")
    assert cycles[0] <= MOST_CYCLES
    shares = [found / cycles[0] for found in cycles[1:]]
    assert all(share <= most for share, most in zip(shares, MOST_OF_THEM, strict=True)), shares


@pytest.mark.long
def test_one_kernel_a_sub_array_takes_as_long_in_every_width() -> None:
    cycles = cycles_of_single_images("seed")
    assert cycles[0] > 4 * MOST_CYCLES
    assert cycles[-1] > 0.95 * cycles[0]


@pytest.mark.long
def test_every_switch_with_four_images_of_each_width() -> None:
    modes = every_switch(MODES)
    images = images_of(NETWORK, len(modes), seed=2)
    images[-1] = images[0]
    program = compiled(NETWORK, ARCH, images=len(modes))
    (run,) = simulate(ARCH, program, images, modes=modes, limits=LONG)
    check_maps(run, NETWORK, images)
    check_cycles(run, program, ARCH, modes)
    answers = [found[NETWORK.answer] for found in run.maps]
    assert np.array_equal(answers[0], answers[-1])
    assert run.weight_row_writes == run.counters["refused_row_writes"] == 0


@pytest.mark.long
def test_widths_that_arrive_after_load_write_no_weights() -> None:
    program = compiled(NETWORK, ARCH, images=MODES)
    widths = {f"t{number}": draw_widths(NETWORK, number) for number in range(1, MODES)}
    other = retabled(NETWORK, widths)
    tables = recompile(program, other, ARCH)
    images, modes = images_of(NETWORK, MODES, seed=3), list(range(MODES))
    (run,) = simulate(ARCH, program, images, modes=modes, tables=tables, limits=LONG)
    check_maps(run, other, images)
    check_cycles(run, tables, ARCH, modes, loaded=program)
    assert run.loads[1] < run.loads[0] // 4
    assert run.weight_row_writes == run.counters["refused_row_writes"] == 0
