"""Whole networks on the RTL of whole chips: every element and every cycle as predicted."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from golden.network import infer
from hwgen.chip.trouble import Trouble
from hwgen.data.load import load_dataset
from hwgen.dbpim.compiler import unstored
from hwgen.dbpim.facts.arch import SWITCHES, Arch
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.sim import simulate
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from tests.verif.dbpim.chips import CONFIGS, check_chip, check_values, chip_arch, compiled
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import (
    draw_recipe,
    extreme_images,
    random_images,
    random_network,
)

COMBINATIONS = 20


def digits_network(model: str) -> QuantizedNetwork:
    return load_network(CONFIGS / "networks" / f"digits_{model}.npz")


def cycles_of(network: QuantizedNetwork, arch: Arch, images: np.ndarray) -> int:
    """Return the cycles that the model predicts."""
    program = compiled(network, arch)
    return CycleModel(program, arch).predict(infer(network, images)).cycles


def digits_images(count: int) -> np.ndarray:
    return load_dataset("digits").test_images[:count]


@pytest.mark.dear("all")
@pytest.mark.promise(
    "every feature map and logit of a trained network equals golden, dense and sparse"
)
@pytest.mark.promise(
    "cycles of each layer, in total and waiting for loads are those of the cycle model"
)
@pytest.mark.promise(
    "events of a run, and of each step, are predicted and counted on the chip, sparse and dense"
)
@pytest.mark.parametrize("sparsity", ["all", "none"])
def test_trained_network(sparsity: str, tmp_path: Path) -> None:
    network = digits_network("small_cnn")
    check_chip(network, chip_arch("small", sparsity), digits_images(2), tmp_path)


@pytest.mark.dear("head_alone")
@pytest.mark.promise(
    "an addition of a convolution that nothing else reads is computed while its results are written"
)
@pytest.mark.promise(
    "mixed phi up to 4, masked groups, zero points, extremes, narrow layers and single pixels"
    " are exact"
)
@pytest.mark.parametrize("name", sorted(DIRECTED))
def test_directed_network(name: str, tmp_path: Path) -> None:
    network = directed(name)
    images = np.concatenate([extreme_images(network), random_images(network, 2, seed=1)])
    check_chip(network, chip_arch("small"), images, tmp_path)


@pytest.mark.dear
@pytest.mark.parametrize("name", sorted(DIRECTED))
def test_directed_network_dense(name: str, tmp_path: Path) -> None:
    network = directed(name)
    check_chip(network, chip_arch("small", "none"), random_images(network, 1, seed=2), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(DIRECTED))
def test_shared_requantizers(name: str, tmp_path: Path) -> None:
    """Four lanes share one: every operation, all results and cycles as predicted."""
    network, arch = directed(name), replace(chip_arch("small"), lanes_per_requantizer=4)
    check_chip(network, arch, random_images(network, 2, seed=1), tmp_path)


@pytest.mark.dear("0")
@pytest.mark.parametrize("seed", [0, 1, 2, 4])
def test_random_network(seed: int, tmp_path: Path) -> None:
    network = random_network(draw_recipe(seed), seed=seed)
    arch = chip_arch("small", latency=1 + 37 * seed)
    check_chip(network, arch, random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear
@pytest.mark.promise(
    "an array may take two cycles, each later one is the model's; an architecture that does not"
    " say so is the same"
)
def test_arrays_of_two_cycles(tmp_path: Path) -> None:
    """Trained and drawn networks, every cycle as predicted; digits takes a few cycles more."""
    arch = replace(chip_arch("tiny"), array_cycles=2)
    for number, network in enumerate(
        [random_network(draw_recipe(seed), seed=seed) for seed in (7, 9)]
    ):
        check_chip(network, arch, random_images(network, 2, seed=number), tmp_path)
    digits, images = digits_network("small_cnn"), digits_images(1)
    check_chip(digits, arch, images, tmp_path)
    later, sooner = (
        cycles_of(digits, chip, images) for chip in (arch, replace(arch, array_cycles=1))
    )
    assert sooner < later < 1.01 * sooner


@pytest.mark.long
@pytest.mark.parametrize("sparsity", ["all", "none"])
def test_many_networks_on_arrays_of_two_cycles(sparsity: str, tmp_path: Path) -> None:
    arch = replace(chip_arch("small", sparsity), array_cycles=2)
    check_chip(digits_network("small_cnn"), arch, digits_images(16), tmp_path, batch=16)
    for seed in range(20, 40):
        network = random_network(draw_recipe(seed), seed=seed)
        check_chip(network, arch, random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear
@pytest.mark.promise(
    "synchronous cells are given their row at the issue and take the cycles of combinational"
    " ones; SRAMs of one port may be the cells"
)
def test_synchronous_cells(tmp_path: Path) -> None:
    """Their rows are given early: every cycle is as predicted, without a word about cells."""
    arch = replace(chip_arch("tiny"), cells="synchronous")
    check_chip(digits_network("small_cnn"), arch, digits_images(1), tmp_path)
    for seed in (7, 9):
        network = random_network(draw_recipe(seed), seed=seed)
        check_chip(network, arch, random_images(network, 2, seed=seed), tmp_path)
        later = replace(arch, array_cycles=2)
        check_chip(network, later, random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("array_cycles", [1, 2])
@pytest.mark.parametrize("sparsity", ["all", "none"])
def test_many_networks_on_synchronous_cells(
    sparsity: str, array_cycles: Literal[1, 2], tmp_path: Path
) -> None:
    arch = chip_arch("small", sparsity)
    arch = replace(arch, cells="synchronous", array_cycles=array_cycles)
    check_chip(digits_network("small_cnn"), arch, digits_images(16), tmp_path, batch=16)
    for seed in range(20, 30):
        network = random_network(draw_recipe(seed), seed=seed)
        check_chip(network, arch, random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear("2")
@pytest.mark.promise(
    "several images in a run give the maps, answers and cycles that golden and the cycle model"
    " predict"
)
@pytest.mark.parametrize("batch", [2, 3])
def test_several_images_in_a_run(batch: int, tmp_path: Path) -> None:
    network = digits_network("small_cnn")
    check_chip(network, chip_arch("small"), digits_images(2 * batch), tmp_path, batch=batch)


@pytest.mark.dear
@pytest.mark.parametrize("name", ["grown_pixel", "one_pixel"])
def test_several_images_of_one_pixel(name: str, tmp_path: Path) -> None:
    """Images of one pixel lie side by side: each has its own column."""
    network = directed(name)
    images = random_images(network, 6, seed=1)
    check_chip(network, chip_arch("small", "none"), images, tmp_path, batch=3)


def test_the_last_run_may_have_fewer_images() -> None:
    network, arch = digits_network("small_cnn"), chip_arch("small")
    program, images = compiled(network, arch, batch=2), digits_images(3)
    runs = simulate(arch, program, images)
    assert [run.images for run in runs] == [(0, 1), (2,)]
    want = infer(network, images)[network.answer]
    found = [maps[network.answer] for run in runs for maps in run.maps]
    assert np.array_equal(np.array(found), want)


@pytest.mark.dear("30")
@pytest.mark.promise("a slow memory changes cycles, never values")
@pytest.mark.parametrize("stall", [30, 90])
def test_stalls_of_the_memory_change_no_value(stall: int) -> None:
    network, arch = digits_network("small_cnn"), chip_arch("small")
    program, images = compiled(network, arch), digits_images(1)
    maps = {name: found.tolist() for name, found in infer(network, images).items()}
    (free,) = simulate(arch, program, images)
    (stalled,) = simulate(
        arch, program, images, trouble=Trouble(stall=stall, seed=stall), seed=stall
    )
    missing = unstored(network, program, arch)
    check_values(stalled, network, maps, f"stall {stall}", missing)
    assert stalled.cycles > free.cycles


@pytest.mark.long
@pytest.mark.parametrize("switch", SWITCHES)
def test_each_switch_alone(switch: str, tmp_path: Path) -> None:
    network = digits_network("small_cnn")
    check_chip(network, chip_arch("small", switch), digits_images(2), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 100 + COMBINATIONS))
def test_random_combination(seed: int, tmp_path: Path) -> None:
    """Network, architecture, sparsity and memory latency are drawn together."""
    rng = np.random.default_rng(seed)
    sparsity = str(rng.choice(["all", "none", *SWITCHES, "weight_bits,weight_values"]))
    latency = int(rng.integers(1, 200))
    arch = chip_arch(
        str(rng.choice(["tiny", "small", "wide", "single"])), sparsity, latency=latency
    )
    network = random_network(draw_recipe(seed), seed=seed)
    print(f"seed {seed}: {arch.name}, {sparsity}, latency {latency}, {network.graph.name}")
    check_chip(network, arch, random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.long
def test_resnet20(tmp_path: Path) -> None:
    check_chip(digits_network("resnet20"), chip_arch("small"), digits_images(1), tmp_path)
