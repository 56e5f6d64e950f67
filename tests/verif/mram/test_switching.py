"""A stream of images under a schedule of modes: every switch, and what it costs."""

from dataclasses import replace
from itertools import accumulate, pairwise, product
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.sim.host import run_chip
from hwgen.mram.facts.timing import IMAGE_CYCLES
from hwgen.mram.sim import simulate
from hwgen.mram.sim.chip_run import hosted, mode_and_record
from hwgen.mram.sim.simulate import job_of
from tests.verif.mram.chips import (
    check_cycles,
    check_maps,
    chip_arch,
    compiled,
    every_switch,
)
from verif.common.drawing import draw_images
from verif.mram.random_network import draw_adaptive

ARCH = chip_arch("tiny")
NETWORK = draw_adaptive(8, 8, seed=3, channels=4)
MODES = every_switch(len(NETWORK.graph.modes))
PROGRAM = compiled(NETWORK, ARCH, images=len(MODES))
IMAGES = draw_images(NETWORK, len(MODES), seed=4)
IMAGES[-1] = IMAGES[0]


@pytest.mark.promise(
    "a stream of images visits every ordered pair of modes; each image is exact, no weight is"
    " written, the first answers return"
)
def test_the_stream_has_every_switch() -> None:
    assert set(pairwise(MODES)) == set(product(range(4), repeat=2))
    assert (len(MODES), MODES[0], MODES[-1]) == (17, 0, 0)


def test_every_switch_is_exact_and_writes_no_weights() -> None:
    (run,) = simulate(ARCH, PROGRAM, IMAGES, modes=MODES)
    check_maps(run, NETWORK, IMAGES)
    check_cycles(run, PROGRAM, ARCH, MODES)
    answers = [found[NETWORK.answer] for found in run.maps]
    assert np.array_equal(answers[0], answers[-1])
    assert run.weight_row_writes == run.counters["refused_row_writes"] == 0


@pytest.mark.promise("the mode is switched between two images in one cycle, while the chip is busy")
def test_an_image_takes_as_long_after_a_switch_as_without() -> None:
    (run,) = simulate(ARCH, PROGRAM, IMAGES, modes=MODES)
    taken = list(run.image_cycles[1:])
    taken[-1] -= run.steps[-1].end - run.steps[-1].begin
    cycles = dict(zip(pairwise(MODES), taken, strict=True))
    assert len({cycles[mode, mode] for mode in range(4)}) == 4
    assert all(found == cycles[after, after] for (_, after), found in cycles.items())


def test_every_run_requests_its_own_modes(tmp_path: Path) -> None:
    """The images of the run before do not count: else a mode would come too early."""
    job = replace(job_of(ARCH, PROGRAM, IMAGES, modes=MODES), run_images=5)
    _, *runs = run_chip(job.work(), hosted(ARCH), tmp_path)
    steps = [len(PROGRAM.facts.modes[mode].steps) for mode in MODES]
    taken = []
    for first, run in zip(range(0, len(MODES), 5), runs, strict=True):
        ends = accumulate(steps[first : first + 5])
        taken += [mode_and_record(run.retired[end - 1])[0] for end in ends]
    assert len(runs) > 1 and taken == MODES


def test_a_mode_is_taken_in_one_cycle_between_two_images(tmp_path: Path) -> None:
    job = job_of(ARCH, PROGRAM, IMAGES, modes=MODES)
    _, run = run_chip(job.work(), hosted(ARCH), tmp_path)
    steps = [len(PROGRAM.facts.modes[mode].steps) for mode in MODES]
    last = [run.retired[behind - 1] for behind in accumulate(steps)]
    assert [mode_and_record(one)[0] for one in last] == MODES
    taken = [begun - one.cycle for one, begun in zip(last, run.begun[1:], strict=False)]
    assert taken == [IMAGE_CYCLES] * (len(MODES) - 1)
