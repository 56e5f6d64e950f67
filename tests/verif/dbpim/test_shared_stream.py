"""Chips whose cores all compute with the words of one stream, on RTL."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.chip import Chip
from hwgen.network.file import load_network
from tests.verif.dbpim.chips import CONFIGS, check_chip
from verif.dbpim.component import small
from verif.dbpim.random_network import (
    draw_recipe,
    draw_recipe_of_ones,
    random_images,
    random_network,
)
from verif.lint import lint_part

DIGITS = CONFIGS / "networks" / "digits_small_cnn.npz"


def shared(cores: int = 2) -> Arch:
    """Return the small chip with one stream of words."""
    return replace(small(), input_streams="shared", cores=cores, name=f"shared_{cores}")


@pytest.mark.dear
@pytest.mark.promise(
    "with one stream core 0 reads each word once for all cores, and alone has maps and a SIMD unit;"
    " such chips are equal in RTL in every element, cycle and event"
)
@pytest.mark.parametrize(
    ("cores", "seed"),
    [
        *((2, seed) for seed in range(3)),
        *(pytest.param(2, seed, marks=pytest.mark.long) for seed in range(3, 20)),
        *(pytest.param(1, seed, marks=pytest.mark.long) for seed in range(3)),
        *(pytest.param(4, seed, marks=pytest.mark.long) for seed in range(6)),
    ],
)
def test_random_networks_are_equal_in_rtl(cores: int, seed: int, tmp_path: Path) -> None:
    network = random_network(draw_recipe(seed), seed=seed)
    check_chip(network, shared(cores), random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear("0")
@pytest.mark.promise(
    "with one stream core 0 reads each word once for all cores, and alone has maps and a SIMD unit;"
    " such chips are equal in RTL in every element, cycle and event"
)
@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(each, marks=pytest.mark.long) for each in range(2, 20))]
)
def test_networks_of_sizes_of_one_are_equal_in_rtl(seed: int, tmp_path: Path) -> None:
    network = random_network(draw_recipe_of_ones(seed), seed=seed)
    check_chip(network, shared(), random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.promise(
    "with one stream core 0 reads each word once for all cores, and alone has maps and a SIMD unit;"
    " such chips are equal in RTL in every element, cycle and event"
)
def test_digits_are_equal_in_rtl(tmp_path: Path) -> None:
    network = load_network(DIGITS)
    check_chip(network, shared(), random_images(network, 1, seed=1), tmp_path)


def test_one_core_reads_for_all() -> None:
    """The other cores have neither fetcher nor buffer, SIMD unit or residual adder."""
    chip = Chip(arch=shared(4))
    (following,) = (part for part in chip.parts if part.module_name == "dbpim_following_core")
    (leading,) = (part for part in chip.parts if part.module_name == "dbpim_core")
    names = Counter(part.module_name for part in following.parts)
    assert not {"dbpim_fetcher", "dbpim_walker", "dbpim_simd", "dbpim_activation_buffer"} & set(
        names
    )
    alone = {part.module_name for part in leading.parts} - set(names)
    assert alone == {"dbpim_fetcher", "dbpim_walker", "dbpim_simd", "dbpim_activation_buffer"}


@pytest.mark.dear
@pytest.mark.promise("Verilator -Wall is silent")
def test_lint() -> None:
    assert lint_part(Chip(arch=shared())) == ""
