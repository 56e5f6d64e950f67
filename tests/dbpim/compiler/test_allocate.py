"""Where maps lie: never on another map that is still needed, and within the buffer."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from hwgen.dbpim.compiler.answer import Answers
from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.compiler.lower import lower
from hwgen.dbpim.compiler.memory import Scratch
from hwgen.dbpim.compiler.partition import unit_steps
from hwgen.dbpim.compiler.steps import Step, Tensor
from hwgen.dbpim.compiler.weights import layer_weights
from hwgen.dbpim.facts.arch import Arch
from hwgen.errors import CompileError
from hwgen.network import INPUT, QuantizedNetwork
from tests.dbpim.compiler.archs import SMALL, draw_arch
from verif.dbpim.directed_network import directed
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_network import draw_recipe, random_network


def steps_of(network: QuantizedNetwork, arch: Arch, *, images: int = 1) -> list[Step]:
    """Return the steps of a network, without END."""
    lowered = lower(network, arch)
    weights = layer_weights(lowered, network, arch)
    build = Builder(lowered, weights, arch, run_images=images, layer_cost=None)
    return unit_steps(build, Scratch(build), Answers(build))


def maps_of(step: Step) -> list[Tensor]:
    """Return the maps that a step reads and writes."""
    return [*step.inputs, *([step.output] if step.output else [])]


def check_life(network: QuantizedNetwork, arch: Arch, *, images: int = 1) -> None:
    """Walk through the steps: all maps that are still to be read, and the one written, differ."""
    steps = steps_of(network, arch, images=images)
    written: dict[Tensor, None] = {}
    for number, step in enumerate(steps):
        written |= dict.fromkeys(maps_of(step))
        later = {tensor for after in steps[number:] for tensor in maps_of(after)}
        alive = [tensor for tensor in written if tensor in later]
        for one, other in combinations(alive, 2):
            apart = one.base + one.words <= other.base or other.base + other.words <= one.base
            assert apart or not one.words or not other.words, (one.shape, other.shape)
        for tensor in alive:
            assert 0 <= tensor.base <= arch.bank_words - tensor.words


@pytest.mark.promise(
    "maps that are still needed never overlap; those that do not fit go through memory"
)
@pytest.mark.parametrize("name", ["residuals", "pools", "deep", "one_pixel"])
def test_directed(name: str) -> None:
    check_life(directed(name), SMALL)


@pytest.mark.parametrize("seed", range(12))
def test_random(seed: int) -> None:
    check_life(random_network(draw_recipe(seed), seed=seed), draw_arch(seed), images=1 + seed % 3)


def chain() -> QuantizedNetwork:
    """Return pools of a 4 x 4 x 8 map, 8 words a bank of one core, and a residual around two."""
    net = NetworkBuilder(name="chain", shape=(4, 4, 8), seed=1)
    first = net.max_pool(INPUT, kernel=1, stride=1)
    now = net.max_pool(net.max_pool(first, kernel=1, stride=1), kernel=1, stride=1)
    now = net.add(now, first)
    net.linear(now, np.ones((2, 128), np.int8), head=True)
    return net.build()


ONE_CORE = replace(SMALL, cores=1)


def test_the_lowest_gap_is_taken() -> None:
    outputs = [step.output for step in steps_of(chain(), ONE_CORE)]
    assert [tensor.base for tensor in outputs if tensor] == [0, 8, 0, 16, 0]


def test_a_map_that_does_not_fit_goes_through_memory() -> None:
    """32 words a bank hold the chain; 16 hold two of its maps, so that others are stored."""
    kinds = {
        size: [step.kind for step in steps_of(chain(), replace(ONE_CORE, buffer_bytes=size))]
        for size in (512, 256)
    }
    assert kinds[512].count("store") == 1
    assert kinds[256].count("store") > 1


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(CompileError, match=r"^layer \w+: a row of its output and the rows"):
        compile_network(chain(), replace(ONE_CORE, buffer_bytes=64))
