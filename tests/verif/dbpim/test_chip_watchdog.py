"""The watchdog does not fire while any one of its progress sources is active."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.trouble import Trouble
from hwgen.dbpim.facts.arch import Arch, MacroSize
from hwgen.dbpim.facts.timing import WATCHDOG_CYCLES
from hwgen.dbpim.sim import simulate
from hwgen.network import INPUT, QuantizedNetwork
from tests.verif.dbpim.chips import check_chip, chip_arch, compiled
from verif.dbpim.network_builder import NetworkBuilder, draw_images
from verif.dbpim.random_weights import draw_weights

CLASSES = 256
SIDE = 8
KERNEL = 5


def patient() -> Arch:
    """Return a chip that keeps two large tiles, and partial sums of a whole map."""
    return replace(
        chip_arch("small", "weight_bits,weight_values"),
        name="patient",
        cores=1,
        macros_per_core=1,
        bus_words=1,
        macro=MacroSize(compartments=8, columns=16, rows=32),
        tile_rows=16,
        psum_entries=SIDE * SIDE,
        logit_entries=CLASSES,
    )


def long_layer() -> QuantizedNetwork:
    """Return a network whose second layer has tiles that compute for 8,192 cycles each."""
    net = NetworkBuilder(name="long_layer", shape=(SIDE, SIDE, 4), seed=1)
    now = net.conv(INPUT, draw_weights(net.rng, phis=[2] * 16, k=9 * 4))
    weights = draw_weights(net.rng, phis=[2] * 8, k=KERNEL * KERNEL * 16)
    now = net.conv(now, weights, kernel=(KERNEL, KERNEL), padding=KERNEL // 2)
    net.linear(now, draw_weights(net.rng, phis=[2] * 3, k=SIDE * SIDE * 8), head=True)
    return net.build()


def many_classes() -> QuantizedNetwork:
    """Return a head alone, with as many logits as the chip can hold."""
    net = NetworkBuilder(name="many_classes", shape=(2, 2, 1), seed=2)
    net.linear(INPUT, draw_weights(net.rng, phis=[1, 2] * (CLASSES // 2), k=4), head=True)
    return net.build()


@pytest.mark.dear
@pytest.mark.promise(
    "each source of progress alone keeps the watchdog quiet, on the chip computing and writing"
)
def test_computing_alone_keeps_the_chip_alive(tmp_path: Path) -> None:
    """A tile that is not its group's last writes nothing, and the next ones are loaded."""
    arch, network = patient(), long_layer()
    tile_cycles = SIDE * SIDE * arch.tile_rows * 8
    assert tile_cycles > WATCHDOG_CYCLES + 1000, "loading the next tile takes less than the rest"
    images = draw_images(np.random.default_rng(3), (SIDE, SIDE, 4), 1)
    check_chip(network, arch, images, tmp_path)


@pytest.mark.dear
def test_writing_alone_keeps_the_chip_alive() -> None:
    """Memory takes a beat of logits in one of a hundred cycles, and nothing else is left to do."""
    arch, network = patient(), many_classes()
    images = draw_images(np.random.default_rng(4), (2, 2, 1), 1)
    program = compiled(network, arch)
    (slow,) = simulate(arch, program, images, trouble=Trouble(stall=99))
    (fast,) = simulate(arch, program, images)
    assert np.array_equal(slow.maps[0][network.answer], fast.maps[0][network.answer])
    store = slow.steps[-2]
    assert store.end - store.begin > WATCHDOG_CYCLES + 1000
