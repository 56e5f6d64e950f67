"""A network of several outputs on a chip: the RTL writes golden's bytes of each to memory."""

from pathlib import Path

import pytest

from golden.network import infer
from hwgen.chip.sim.host import run_hosted
from hwgen.dbpim.facts.image import pack_answer
from hwgen.dbpim.sim.chip_run import hosted
from hwgen.dbpim.sim.simulate import job_of
from tests.verif.dbpim.chips import check_chip, chip_arch, compiled
from verif.common.drawing import with_outputs
from verif.dbpim.random_network import Recipe, random_images, random_network
from verif.toolchain import BUILD_ROOT

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


@pytest.mark.promise(
    "bytes above the channels of an answer are zeros, whatever the buffers held at power-up"
)
def test_bytes_above_the_channels_are_zeros() -> None:
    network = with_outputs(random_network(RECIPE, seed=3), seed=3)
    arch = chip_arch("tiny")
    program, images = compiled(network, arch), random_images(network, 1, seed=5)
    maps = infer(network, images)
    (run,), _ = run_hosted(job_of(arch, program, images).work(), hosted(arch), builds=BUILD_ROOT)
    assert any(plan.shape[2] % arch.word for plan in program.facts.answers)
    for plan in program.facts.answers:
        found = run.answer[plan.offsets[0] :][: plan.size].tobytes()
        assert found == pack_answer(maps[plan.layer][0], plan, arch), plan.layer
