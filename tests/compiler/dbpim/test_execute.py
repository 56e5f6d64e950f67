"""Programs do what golden says: the stream, executed in plain numpy, gives every map."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.compiler.dbpim.compile import compile_network
from hwgen.model.dbpim import SplitCost
from hwgen.spec.dbpim import check_match
from hwgen.spec.dbpim.arch import Arch, load_arch, with_sparsity
from hwgen.spec.dbpim.image import pack_image
from hwgen.spec.network import QuantizedNetwork
from hwgen.spec.network.file import load_network
from tests.compiler.dbpim.archs import CONFIGS, SMALL, TINY, draw_arch
from tests.compiler.dbpim.executor import Executor
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import Recipe, draw_recipe, random_images, random_network

DIGITS = load_network(Path("configs/networks/digits_small_cnn.npz"))
SWITCHES = ["all", "none", "weight_bits", "weight_values", "input_bits"]


def check(network: QuantizedNetwork, arch: Arch, image: np.ndarray) -> Executor:
    """Compare every map with golden; every output must be written exactly once."""
    program = compile_network(network, arch)
    chip = Executor(program, arch)
    maps = chip.run(pack_image(image, program.facts, port_bytes=arch.port_bytes))
    wanted = infer(network, image[np.newaxis])
    for number, plan in enumerate(program.facts.layers):
        expected = wanted[plan.name][0].reshape(maps[plan.name].shape)
        np.testing.assert_array_equal(maps[plan.name], expected, plan.name)
        times = [count for key, count in chip.writes.items() if key[0] == number]
        assert times == [1] * (plan.positions * max(1, plan.filter_groups)), plan.name
    return chip


@pytest.mark.parametrize("config", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_digits_on_every_config(config: str) -> None:
    check(DIGITS, load_arch(CONFIGS / f"{config}.yaml"), random_images(DIGITS, 1, seed=1)[0])


@pytest.mark.parametrize("switches", SWITCHES)
def test_digits_with_each_switch(switches: str) -> None:
    check(DIGITS, with_sparsity(SMALL, switches), random_images(DIGITS, 1, seed=2)[0])


@pytest.mark.parametrize("name", DIRECTED)
def test_directed(name: str) -> None:
    network = directed(name)
    arch = with_sparsity(TINY, "none") if name == "any_weights" else TINY
    check(network, arch, random_images(network, 1, seed=3)[0])


def check_drawn(seed: int) -> None:
    network = random_network(draw_recipe(seed), seed=seed)
    check(network, draw_arch(seed), random_images(network, 1, seed=seed)[0])


@pytest.mark.parametrize("seed", range(12))
def test_random(seed: int) -> None:
    check_drawn(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12, 200))
def test_many_random(seed: int) -> None:
    check_drawn(seed)


def test_programs_of_another_memory_run_on_every_chip_of_the_digest() -> None:
    """The latency may change the split of a layer, never what a chip computes or accepts."""
    network = random_network(Recipe(filters=(8, 16, 24, 40)), seed=5)
    image = random_images(network, 1, seed=5)
    near, far = (replace(TINY, memory_latency_cycles=cycles) for cycles in (10, 100))
    programs = [compile_network(network, arch, layer_cost=SplitCost(arch)) for arch in (near, far)]
    assert near.digest == far.digest
    assert programs[0].image.tobytes() != programs[1].image.tobytes()
    wanted = infer(network, image)
    for program in programs:
        check_match(program, near, network)
        packed = pack_image(image[0], program.facts, port_bytes=near.port_bytes)
        maps = Executor(program, near).run(packed)
        for layer in network.layers:
            np.testing.assert_array_equal(maps[layer.name], wanted[layer.name][0], layer.name)


@pytest.mark.parametrize(
    "change", [{"name": "other"}, {"clock_mhz": 1.0}, {"memory_latency_cycles": 7}]
)
def test_the_digest_leaves_out_what_no_chip_is_made_of(change: dict[str, Any]) -> None:
    assert replace(TINY, **change).digest == TINY.digest


@pytest.mark.parametrize(
    "field", ["cores", "queue_depth", "tile_rows", "port_bits", "psum_entries"]
)
def test_the_digest_covers_the_sizes(field: str) -> None:
    value = getattr(SMALL, field)
    assert (
        replace(SMALL, **{field: value // 2 if field != "port_bits" else 2 * value}).digest
        != SMALL.digest
    )
