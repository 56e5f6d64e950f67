"""Whole chips with elements of 16 bits: sums of 48 bits, rows of two beats."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.mram.model import CycleModel
from hwgen.mram.sim import simulate
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import load_network
from tests.golden.drawn import MODES, Drawing
from tests.verif.mram.chips import WINDOW, check_cycles, check_maps, chip_arch, compiled, images_of

ARCH = chip_arch("wide")
NETWORK = Path(__file__).parents[3] / "configs/networks/bits/cadnn_digits_16_16.npz"


def wide_network(seed: int) -> QuantizedNetwork:
    """Return convolutions of 16-bit weights and maps, whose answer are sums of 64 bits."""
    net = Drawing(seed, modes=MODES, shape=(4, 4, 3))
    now = net.conv(INPUT, (4, 3, 1), bits=16, weight_bits=16, **WINDOW)
    now = net.conv(now, (4, 2, 2), bits=16, weight_bits=16, stride=(2, 2), **WINDOW)
    now = net.max_pool(now, kernel=(2, 2), stride=(1, 1), padding=(0, 0, 0, 0))
    return net.build(net.linear(now, (3, 3, 3), bits=64, weight_bits=16))


@pytest.mark.long
def test_16_bit_maps_and_weights() -> None:
    network = wide_network(1)
    modes = [0, 1, 2]
    program = compiled(network, ARCH, images=len(modes))
    images = images_of(network, len(modes))
    (run,) = simulate(ARCH, program, images, modes=modes)
    check_maps(run, network, images)
    check_cycles(run, program, ARCH, modes)
    assert run.loading == CycleModel(program, ARCH).predict_load()
    assert any(np.abs(found[network.answer]).max() > 1 << 31 for found in run.maps)


@pytest.mark.promise(
    "the shipped network of 16-bit weights and maps runs on the shipped chip of 16 bits, every"
    " element and cycle as predicted in each width"
)
def test_the_shipped_network_of_16_bits() -> None:
    arch, network = chip_arch("small_16_bits"), load_network(NETWORK)
    modes = list(range(len(network.graph.modes)))
    program = compiled(network, arch, images=len(modes))
    images = images_of(network, len(modes))
    (run,) = simulate(arch, program, images, modes=modes)
    check_maps(run, network, images)
    check_cycles(run, program, arch, modes)
