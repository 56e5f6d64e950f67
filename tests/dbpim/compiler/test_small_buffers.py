"""Networks larger than the buffers: bands, tiles of columns, and maps through memory."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import unstored
from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.facts.program import StepPlan
from hwgen.dbpim.facts.stream import Packet
from hwgen.errors import CompileError, RefusedNodesError
from hwgen.network import INPUT
from tests.dbpim.compiler.archs import SMALL
from tests.dbpim.compiler.executor import execute
from verif.dbpim.random_network import draw_recipe, random_images, random_network

SIZES = (256, 512, 1024)


def run(seed: int, size: int, **changes: int) -> list[StepPlan]:
    """Compare every described map and the answers with golden; return the steps.

    changes: of the recipe of the seed
    """
    network = random_network(replace(draw_recipe(seed), **changes), seed=seed)
    arch = replace(SMALL, buffer_bytes=size, logit_entries=256)
    images = 1 + seed % 2
    try:
        program = compile_network(network, arch, images=images)
    except (CompileError, RefusedNodesError):
        return []
    given = random_images(network, images, seed=seed)
    found, wanted = execute(program, arch, given), infer(network, given)
    np.testing.assert_array_equal(found.answers, wanted[network.answer])
    for name, values in found.maps.items():
        np.testing.assert_array_equal(values, wanted[name], name)
    missing = set(wanted) - set(found.maps) - {INPUT}
    assert missing == unstored(network, program, arch), (seed, size)
    return program.facts.steps


@pytest.mark.dear
@pytest.mark.promise(
    "networks run in bands of rows and tiles of columns where the buffers are small"
)
@pytest.mark.promise(
    "fused maps follow from the network and the instructions; any other unchecked map differs"
)
def test_random() -> None:
    """Of the drawn networks some run in bands, some in tiles, and some through memory."""
    steps = [step for seed in range(24) for size in SIZES for step in run(seed, size)]
    names = " ".join(step.name for step in steps)
    assert " rows " in names
    assert " columns " in names
    assert "scratch" in {step.memory.space for step in steps if step.memory}


@pytest.mark.promise("rows that two bands compute are two steps, each with a name of its own")
def test_rows_that_two_bands_compute_are_two_steps() -> None:
    """Both bands of conv_4 need all rows of conv_3; the executor refuses two steps of one name."""
    steps = [step for step in run(46, 1024, max_digits=2, single_share=0) if step.layer == "conv_3"]
    names = [step.name for step in steps if step.op == "conv"]
    assert names == ["conv_3 rows 0-2", "conv_3 rows 0-2 again in band 1"]


@pytest.mark.promise(
    "a unit that does not fit the buffers is given up before a cycle model judges any of its splits"
)
def test_what_does_not_fit_is_given_up_before_splits_are_judged() -> None:
    """Of this network most units do not fit; a search that judges them all judges 93 splits."""
    judged: list[str] = []

    def cost(layer: str, packets: Sequence[Packet]) -> float:
        """Note the layer; fewer beats are better."""
        judged.append(layer)
        return sum(packet.beats for packet in packets)

    arch = replace(SMALL, buffer_bytes=512, logit_entries=256)
    recipe = replace(draw_recipe(36), single_share=0.0)
    compile_network(random_network(recipe, seed=36), arch, layer_cost=cost)
    assert 0 < len(judged) <= 20


def test_only_large_maps_make_the_cores_share_their_filters() -> None:
    """Where the maps of all passes do not fit, those of small ones still go to all cores."""
    sets = {step.layer: step.sets for step in run(19, 512) if step.filter_groups > 1}
    assert sets == {"conv_0": 1, "linear_4": 2}
