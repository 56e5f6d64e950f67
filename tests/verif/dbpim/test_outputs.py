"""A network of several outputs on a chip: the RTL writes golden's bytes of each to memory."""

from pathlib import Path

import pytest

from tests.verif.dbpim.chips import check_chip, chip_arch, compiled
from verif.common.drawing import with_outputs
from verif.dbpim.random_network import Recipe, random_images, random_network

RECIPE = Recipe(kinds=("conv", "residual", "max_pool", "stride"), end="byte_conv")


@pytest.mark.dear("1")
@pytest.mark.promise("the RTL of a dbpim chip writes every output of a network to memory")
@pytest.mark.parametrize("batch", [1, 2])
def test_rtl_writes_every_output(batch: int, tmp_path: Path) -> None:
    network = with_outputs(random_network(RECIPE, seed=3), seed=3)
    arch = chip_arch("tiny")
    stores = [step for step in compiled(network, arch).facts.steps if step.kind == "store"]
    assert len(network.graph.outputs) > 1
    assert len(stores) >= len(network.graph.outputs)
    check_chip(network, arch, random_images(network, 2, seed=5), tmp_path, batch=batch)
