"""Networks for small devices on the chip of any kernels: golden's maps, and the page's figures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hwgen.mram.compiler import compile_network
from hwgen.mram.model import CycleModel, SplitCost, energy_pj, leakage_pj
from hwgen.mram.model.energy import Gating
from hwgen.network import QuantizedNetwork
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.test_walks import check
from verif.common import mobile

PAGE = Path(__file__).parents[3] / "docs" / "mram-chip.md"
ARCH = arch_of("paper_any")
NETWORKS = {
    "MobileNetV1 0.25, 32 x 32": mobile.mobilenet_v1,
    "MobileNetV2 0.25, 32 x 32": mobile.mobilenet_v2,
    "DS-CNN, 49 x 10": mobile.ds_cnn,
    "autoencoder, 640": mobile.autoencoder,
}


@pytest.mark.dear
@pytest.mark.promise("`mram/paper_any` runs MobileNets of a quarter's width, DS-CNN and FC of 640")
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_maps_are_those_of_golden(network: Callable[[], QuantizedNetwork]) -> None:
    assert check(network(), ARCH)["walk"]


@pytest.mark.promise("`mram/paper_any` runs MobileNets of a quarter's width, DS-CNN and FC of 640")
@pytest.mark.parametrize("name", NETWORKS)
def test_figures_of_the_page_are_those_of_the_model(name: str) -> None:
    program = compile_network(NETWORKS[name](), ARCH, layer_cost=SplitCost(ARCH))
    run = CycleModel(program, ARCH).predict()

    def energy(gating: Gating) -> str:
        of_events = sum(energy_pj(run.events, ARCH, gating=gating).values())
        return f"{(of_events + leakage_pj(run.cycles, ARCH)) / 1e6:.1f} uJ"

    figures = f"| {name} | {run.cycles:,} | {energy('none')} | {energy('segments')} |"
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {name} |")]
    assert line.startswith(figures), f"the page says {line}, the model {figures}"
