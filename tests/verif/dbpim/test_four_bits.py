"""Chips of weights of four bits: dense, and with masks and zero planes of inputs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import Arch, RowUnit
from hwgen.dbpim.rtl.chip import Chip
from hwgen.errors import CompileError, HwgenError
from hwgen.network import INPUT, QuantizedNetwork
from tests.verif.dbpim.chips import check_chip, chip_arch
from tests.verif.dbpim.test_core import run_core
from tests.verif.dbpim.test_macro import run_macro
from verif.dbpim import system_parts
from verif.dbpim.component import dense, of_four_bits
from verif.dbpim.macro_parts import run_part
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_network import (
    Recipe,
    draw_recipe,
    draw_recipe_of_ones,
    random_images,
    random_network,
)
from verif.dbpim.system_parts import run_system_bench
from verif.lint import lint_part


def sized(arch: Arch, columns: Any, **sizes: Any) -> Arch:
    """Return a chip whose macros have other columns, and other sizes."""
    return replace(arch, macro=replace(arch.macro, columns=columns), **sizes)


SMALL = chip_arch("small")
LARGE = replace(
    SMALL, macro=replace(SMALL.macro, compartments=16), simd_lanes=8, mask_bytes=128, port_bits=128
)
CHIPS = {
    "dense": sized(of_four_bits(dense(SMALL)), 32, name="dense_4"),
    "masks": sized(of_four_bits(SMALL), 32, name="masks_4"),
    "masks of 16 filters": sized(of_four_bits(LARGE), 64, logit_entries=64, name="masks_4_wide"),
}
"""Eight filters a macro, as a block of a mask has, and twice as many."""

WIDE = pytest.param("masks of 16 filters", marks=pytest.mark.dear)


def four_bits(recipe: Recipe, *, seed: int) -> QuantizedNetwork:
    """Return a random network of weights of -8 to 7."""
    return random_network(replace(recipe, weight_bits=4), seed=seed)


@pytest.mark.dear("dense", "masks of 16 filters")
@pytest.mark.promise(
    "weights of -8 to 7 take four cell columns and half a byte of the stream, dense or with masks,"
    " and every element, cycle and event is equal in RTL"
)
@pytest.mark.parametrize("name", CHIPS)
def test_random_networks_are_equal_in_rtl(name: str, tmp_path: Path) -> None:
    network = four_bits(draw_recipe(2), seed=2)
    check_chip(network, CHIPS[name], random_images(network, 2, seed=2), tmp_path)


@pytest.mark.dear
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CHIPS)
def test_networks_of_sizes_of_one_are_equal_in_rtl(name: str, seed: int, tmp_path: Path) -> None:
    network = four_bits(draw_recipe_of_ones(seed), seed=seed)
    check_chip(network, CHIPS[name], random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 20))
@pytest.mark.parametrize("name", CHIPS)
def test_many_random_networks(name: str, seed: int, tmp_path: Path) -> None:
    network = four_bits(draw_recipe(seed), seed=seed)
    check_chip(network, CHIPS[name], random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear
@pytest.mark.parametrize("name", CHIPS)
def test_the_core_and_its_macro_alone(name: str, tmp_path: Path) -> None:
    for part in ("core", "macro"):
        (tmp_path / part).mkdir()
    run_core(CHIPS[name], tmp_path / "core", None)
    run_macro(CHIPS[name], tmp_path / "macro")


@pytest.mark.dear
@pytest.mark.parametrize("size", ["four bits", "four bits without parts"])
def test_the_parts_of_a_macro(size: str, tmp_path: Path) -> None:
    for part in ("dbmu", "compartment", "dots", "adder_tree", "ppu", "cell_array"):
        (tmp_path / part).mkdir()
        run_part(part, size, tmp_path / part)


@pytest.mark.dear
@pytest.mark.parametrize("size", ["four_bits", "dense_four_bits"])
def test_the_parts_that_load_rows(size: str, tmp_path: Path) -> None:
    arch = system_parts.other_sizes()[size]
    for part in ("tile_loader", "loader", *(["weight_decoder"] if arch.sparse_parts else [])):
        (tmp_path / part).mkdir()
        run_system_bench(part, arch, tmp_path / part)


@pytest.mark.dear
@pytest.mark.parametrize("name", CHIPS)
def test_lint_clean(name: str) -> None:
    assert lint_part(Chip(arch=CHIPS[name])) == ""


@pytest.mark.parametrize("name", ["dense", WIDE])
def test_weights_beyond_four_bits_are_refused(name: str) -> None:
    network = random_network(draw_recipe(2), seed=2)
    with pytest.raises(HwgenError) as refused:
        compile_network(network, CHIPS[name])
    allowed = "weights must be from -8 to 7 with macro.weight_bits of 4 on a dbpim chip"
    assert f"layer linear_7: {allowed}, got -124 to 127" in str(refused.value)


@pytest.mark.parametrize(("low", "high", "fits"), [(-8, 7, True), (-9, 7, False), (-8, 8, False)])
def test_the_ends_of_four_bits(low: int, high: int, *, fits: bool) -> None:
    """A depthwise layer, which the SIMD unit computes, keeps eight bits."""
    net = NetworkBuilder(name="ends", shape=(3, 3, 4), seed=1)
    now = net.depthwise(INPUT, np.resize(np.array([-128, 127], np.int8), (4, 9)))
    net.linear(now, np.resize(np.array([low, high], np.int8), (3, 36)), head=True)
    network = net.build()
    if fits:
        compile_network(network, CHIPS["masks"])
        return
    with pytest.raises(CompileError, match=f"^layer linear_1: weights .*got {low} to {high}$"):
        compile_network(network, CHIPS["masks"])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"sparsity": SMALL.sparsity}, "8 with sparsity.weight_bits, got 4"),
        ({"one_digit": "paired"}, "8 with one_digit of paired, got 4"),
        ({"one_digit": "coded"}, "8 with one_digit of coded, got 4"),
        ({"row_unit": RowUnit(lanes=2)}, "8 with a row_unit, got 4"),
    ],
)
def test_what_needs_eight_bits_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"macro.weight_bits.*{sentence}"):
        replace(of_four_bits(SMALL), **given)
