"""Latency follows width: a network of ResNet20's shape with four widths on the paper chip."""

import pytest

from hwgen.mram.compiler import compile_network
from hwgen.mram.model import CycleModel
from tests.mram.compiler.archs import arch_of
from verif.mram.resnet20 import WIDTHS, resnet20


@pytest.mark.promise(
    "ResNet20 runs whole on the chip of paper size, every layer exact in every width; its"
    " latency follows the width"
)
@pytest.mark.promise(
    "latency follows width on an MRAM chip, and does not with the mapping of the seed"
)
def test_cycles_fall_with_the_width_of_the_mode() -> None:
    arch = arch_of("paper")
    model = CycleModel(compile_network(resnet20(), arch), arch)
    cycles = [model.predict(modes=[mode]).cycles for mode in range(len(WIDTHS))]
    assert cycles[0] <= 150_000
    for found, most in zip(cycles[1:], (0.70, 0.50, 0.22), strict=True):
        assert found <= most * cycles[0]
    seed = CycleModel(compile_network(resnet20(), arch, mapping="seed"), arch)
    assert seed.predict(modes=[0]).cycles > 4 * cycles[0]
    assert seed.predict(modes=[3]).cycles > 0.9 * seed.predict(modes=[0]).cycles
