"""The precision range on RTL: every promised pair of weight and map bits, in every mode."""

import pytest

from hwgen.mram.model import CycleModel
from hwgen.mram.sim import simulate
from tests.verif.mram.chips import check_cycles, check_maps, chip_arch, compiled
from verif.common.drawing import draw_images
from verif.mram.random_network import WEIGHTS_AND_MAPS, draw_adaptive

CHIPS = {"wide": WEIGHTS_AND_MAPS, "tiny": WEIGHTS_AND_MAPS[:-1]}
"""Elements of 16 bits hold maps of any bits; those of 8 bits hold all but the widest."""


@pytest.mark.dear("tiny-1-1")
@pytest.mark.promise(
    "weights and maps of 1 to 16 bits, from 1:1 to 16:16, are exact on the same generator, in"
    " every mode"
)
@pytest.mark.parametrize(
    ("chip", "weight_bits", "map_bits"),
    [(chip, *pair) for chip, pairs in CHIPS.items() for pair in pairs],
)
def test_every_mode_is_exact(chip: str, weight_bits: int, map_bits: int) -> None:
    arch = chip_arch(chip)
    network = draw_adaptive(weight_bits, map_bits, seed=1, channels=4)
    modes = list(range(len(network.graph.modes)))
    program = compiled(network, arch, images=len(modes))
    images = draw_images(network, len(modes), seed=2)
    (run,) = simulate(arch, program, images, modes=modes)
    check_maps(run, network, images)
    check_cycles(run, program, arch, modes)
    assert run.loading == CycleModel(program, arch).predict_load()
