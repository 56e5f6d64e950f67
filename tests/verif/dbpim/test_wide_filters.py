"""Macros of eight and sixteen filters of eight columns: dense, and int8 weights with masks."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch, with_sparsity
from hwgen.errors import ConfigError
from tests.verif.dbpim.chips import check_chip, chip_arch
from tests.verif.dbpim.test_core import run_core
from tests.verif.dbpim.test_macro import run_macro
from verif.dbpim.component import dense
from verif.dbpim.random_network import (
    draw_recipe,
    draw_recipe_of_ones,
    random_images,
    random_network,
)


def wide(arch: Arch) -> Arch:
    """Return a chip with macros of 64 columns."""
    return replace(arch, macro=replace(arch.macro, columns=64), logit_entries=32)


def masks_alone() -> Arch:
    """Return a chip of int8 weights that skips pruned blocks and zero planes, of 64 columns."""
    plain = replace(chip_arch("small"), packed_weights=False, simd_taps=64, name="masks_wide")
    narrow = with_sparsity(plain, "weight_values,input_bits")
    return wide(narrow)


def dense_wide() -> Arch:
    """Return a chip without the parts for sparsity, of 64 columns."""
    return wide(replace(dense(chip_arch("small")), name="dense_wide"))


def sixteen(arch: Arch) -> Arch:
    """Return a chip with words and macros of sixteen channels."""
    size = replace(arch.macro, compartments=16, columns=128)
    return replace(arch, macro=size, logit_entries=64, name=f"{arch.name}_16")


CHIPS = {"dense": dense_wide(), "masks": masks_alone()}
CHIPS |= {f"{name}16": sixteen(arch) for name, arch in CHIPS.items()}


@pytest.mark.dear("dense")
@pytest.mark.promise(
    "a macro has as many filters of eight columns as a word has channels, dense or with masks, and"
    " is equal in RTL"
)
@pytest.mark.parametrize("name", CHIPS)
def test_random_networks_are_equal_in_rtl(name: str, tmp_path: Path) -> None:
    network = random_network(draw_recipe(2), seed=2)
    check_chip(network, CHIPS[name], random_images(network, 2, seed=2), tmp_path)


@pytest.mark.dear
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CHIPS)
def test_networks_of_sizes_of_one_are_equal_in_rtl(name: str, seed: int, tmp_path: Path) -> None:
    network = random_network(draw_recipe_of_ones(seed), seed=seed)
    check_chip(network, CHIPS[name], random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 20))
@pytest.mark.parametrize("name", CHIPS)
def test_many_random_networks(name: str, seed: int, tmp_path: Path) -> None:
    network = random_network(draw_recipe(seed), seed=seed)
    check_chip(network, CHIPS[name], random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear
@pytest.mark.parametrize("name", CHIPS)
def test_the_core_and_its_macro_alone(name: str, tmp_path: Path) -> None:
    for part in ("core", "macro"):
        (tmp_path / part).mkdir()
    run_core(CHIPS[name], tmp_path / "core", None)
    run_macro(CHIPS[name], tmp_path / "macro")


def test_more_filters_than_channels_of_a_word_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"masks_wide with --sparsity all"):
        with_sparsity(CHIPS["masks"], "all")
    with pytest.raises(ValueError, match=r"at most 8 \* macro\.compartments \(32\), got 64"):
        small = replace(CHIPS["dense"].macro, compartments=4)
        replace(CHIPS["dense"], macro=small)
