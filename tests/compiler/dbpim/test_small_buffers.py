"""Networks larger than the buffers: bands, tiles of columns, and maps through memory."""

from dataclasses import replace

import numpy as np
import pytest

from golden.network import infer
from hwgen.compiler.dbpim.compile import compile_network
from hwgen.errors import CompileError
from hwgen.spec.dbpim.program import StepPlan
from tests.compiler.dbpim.archs import SMALL
from tests.compiler.dbpim.executor import execute
from verif.dbpim.random_network import draw_recipe, random_images, random_network

SIZES = (256, 512, 1024)


def run(seed: int, size: int) -> list[StepPlan]:
    """Compare every described map and the answers with golden; return the steps."""
    network = random_network(draw_recipe(seed), seed=seed)
    arch = replace(SMALL, buffer_bytes=size, logit_entries=256)
    images = 1 + seed % 2
    try:
        program = compile_network(network, arch, images=images)
    except CompileError:
        return []
    given = random_images(network, images, seed=seed)
    found, wanted = execute(program, arch, given), infer(network, given)
    np.testing.assert_array_equal(found.answers, wanted[network.answer])
    for name, values in found.maps.items():
        np.testing.assert_array_equal(values, wanted[name], name)
    return program.facts.steps


def test_random() -> None:
    """Of the drawn networks some run in bands, some in tiles, and some through memory."""
    steps = [step for seed in range(24) for size in SIZES for step in run(seed, size)]
    names = " ".join(step.name for step in steps)
    assert " rows " in names
    assert " columns " in names
    assert "scratch" in {step.memory.space for step in steps if step.memory}
