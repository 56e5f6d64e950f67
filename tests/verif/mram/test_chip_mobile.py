"""Networks for small devices whole on the chip of any kernels of the paper's size."""

from collections.abc import Callable

import pytest

from hwgen.mram.sim import simulate
from hwgen.network import QuantizedNetwork
from tests.verif.mram.chips import LONG, check_cycles, check_maps, chip_arch, compiled, images_of
from verif.common import mobile

ARCH = chip_arch("paper_any")
NETWORKS = [mobile.mobilenet_v1, mobile.mobilenet_v2, mobile.ds_cnn, mobile.autoencoder]


@pytest.mark.long
@pytest.mark.promise("`mram/paper_any` runs MobileNets of a quarter's width, DS-CNN and FC of 640")
@pytest.mark.parametrize("drawn", NETWORKS)
def test_maps_cycles_and_events(drawn: Callable[[], QuantizedNetwork]) -> None:
    network = drawn()
    program, images = compiled(network, ARCH), images_of(network, 1)
    (run,) = simulate(ARCH, program, images, modes=[0], limits=LONG)
    check_maps(run, network, images)
    check_cycles(run, program, ARCH, [0])
