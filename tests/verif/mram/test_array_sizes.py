"""Chips whose arrays have other rows and columns: values are golden's, cycles the model's."""

from dataclasses import replace

import pytest

from hwgen.mram.facts.arch import ArraySize
from hwgen.mram.sim import simulate
from tests.verif.mram.chips import (
    check_cycles,
    check_maps,
    chip_arch,
    compiled,
    images_of,
    residual_network,
)

SIZES = {
    "most rows": ArraySize(rows=1024, columns=64),
    "most columns of a block": ArraySize(rows=64, columns=256),
    "more of both": ArraySize(rows=512, columns=128),
}


@pytest.mark.dear("most rows")
@pytest.mark.promise(
    "so are values and cycles of mram chips whose arrays have other rows and columns"
)
@pytest.mark.parametrize("size", SIZES)
def test_arrays_of_other_sizes(size: str) -> None:
    arch = replace(chip_arch("tiny"), array=SIZES[size])
    network, modes = residual_network(21, deep=True), [0, 2, 1]
    program = compiled(network, arch, images=len(modes))
    images = images_of(network, len(modes))
    (run,) = simulate(arch, program, images, modes=modes, seed=5)
    check_maps(run, network, images)
    check_cycles(run, program, arch, modes)
