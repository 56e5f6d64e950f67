"""Programs do what golden says: the stream, executed in plain numpy, gives every map."""

from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.compiler.dbpim.compile import compile_network
from hwgen.spec.dbpim.arch import Arch, load_arch, with_sparsity
from hwgen.spec.dbpim.image import pack_image
from hwgen.spec.network import QuantizedNetwork
from hwgen.spec.network.file import load_network
from tests.compiler.dbpim.archs import CONFIGS, SMALL, TINY, draw_arch
from tests.compiler.dbpim.executor import Executor
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import draw_recipe, random_images, random_network

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
