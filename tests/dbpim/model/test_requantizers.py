"""Cycles of a SIMD unit whose lanes share requantizers: what windows of 1, 2 and 4 taps pay."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import Arch, load_arch
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.model.prediction import StepCycles
from hwgen.network import INPUT
from verif.dbpim.network_builder import NetworkBuilder

ONE_CORE = replace(load_arch(Path("configs/dbpim/small.yaml")), cores=1)
LANES = ONE_CORE.macros_per_core * ONE_CORE.macro.compartments
SIDE = 12


def pool(arch: Arch, kernel: tuple[int, int]) -> StepCycles:
    """Return the step of a maximum over windows of a map of ones."""
    net = NetworkBuilder(name="taps", shape=(SIDE, SIDE, arch.macro.compartments), seed=1)
    found = net.max_pool(INPUT, kernel=kernel, stride=1)
    weights = np.full((2, int(np.prod(net.maps[found].shape[1:]))), 3, np.int8)
    net.linear(found, weights, head=True)
    network = net.build()
    maps = infer(network, np.ones((1, SIDE, SIDE, arch.macro.compartments), np.uint8))
    steps = CycleModel(compile_network(network, arch), arch).predict(maps).found
    return next(step for step in steps if step.name == found)


@pytest.mark.promise(
    "lanes that share requantizers take turns, in RTL as in the model, and windows of enough"
    " taps pay nothing"
)
@pytest.mark.parametrize("kernel", [(1, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("shared", [2, 4])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_result_waits_for_its_turns(parts: int, shared: int, kernel: tuple[int, int]) -> None:
    own = replace(ONE_CORE, simd_lanes=LANES // parts)
    taps = kernel[0] * kernel[1]
    # Each part behind the first waits for the one before, the first for the vector before.
    waits = (parts - 1) * (shared - 1) + max(0, shared - 1 - (taps - 1) * parts)
    wanted, found = pool(own, kernel), pool(replace(own, lanes_per_requantizer=shared), kernel)
    rows, columns = (SIDE + 1 - each for each in kernel)
    vectors = rows * -(-columns // own.macros_per_core)
    assert abs(found.cycles - wanted.cycles - vectors * waits) <= 2 * shared
    assert found.causes["simd"] == wanted.causes["simd"]
