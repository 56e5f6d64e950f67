"""A network of several outputs on a chip: the RTL writes golden's elements of each to memory."""

from dataclasses import replace

import pytest

from hwgen.chip.trouble import Trouble
from hwgen.mram.sim import simulate
from tests.verif.mram.chips import (
    check_cycles,
    check_maps,
    chip_arch,
    compiled,
    images_of,
)
from verif.common.drawing import with_outputs
from verif.mram.random_network import draw_adaptive


@pytest.mark.dear("2")
@pytest.mark.promise("the RTL of an mram chip writes every output of a network to memory")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rtl_writes_every_output(seed: int) -> None:
    arch = replace(chip_arch("tiny"), answer_entries=1024)
    network = with_outputs(draw_adaptive(8, 8, seed=seed, channels=4, modes=2), seed=seed)
    modes = [0, 1]
    program = compiled(network, arch, images=len(modes))
    assert len(program.facts.answers) > 1
    images = images_of(network, len(modes))
    (run,) = simulate(arch, program, images, modes=modes, seed=seed)
    check_maps(run, network, images)
    check_cycles(run, program, arch, modes)
    slow = Trouble(stall=40, seed=seed)
    (run,) = simulate(arch, program, images, modes=modes, seed=seed, trouble=slow)
    check_maps(run, network, images)
