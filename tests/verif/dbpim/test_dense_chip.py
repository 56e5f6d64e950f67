"""Chips without the parts for sparsity: what their Verilog lacks, and that they are exact."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from golden.network import infer
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.dbpim.facts.arch import with_sparsity
from hwgen.dbpim.facts.events import WITH_PARTS, core_events
from hwgen.dbpim.facts.instructions import Coding
from hwgen.dbpim.facts.stream import TilePacket, decode_stream
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.rtl import make_chip
from hwgen.dbpim.rtl.core import Core
from hwgen.network.file import load_network
from tests.verif.dbpim.chips import CONFIGS, check_chip, chip_arch, compiled
from tests.verif.dbpim.test_core import run_core
from tests.verif.dbpim.test_macro import run_macro
from verif.dbpim.component import dense, narrow, rows, small
from verif.dbpim.random_network import (
    draw_recipe,
    draw_recipe_of_ones,
    draw_row_recipe,
    random_images,
    random_network,
)
from verif.lint import lint_part

DIGITS = CONFIGS / "networks" / "digits_small_cnn.npz"
RESNET20 = CONFIGS / "networks" / "cifar10_resnet20_50.npz"
ABSENT = ("switch", "mask_array", "group_queue", "ipu", "meta_array", "weight_decoder")
ABSENT += ("row_unpacker", "triple_decoder")
WORDS = ("mask", "meta", "negative", "groups")
"""What no name in the Verilog of a dense chip has a part of."""

TINY = dense(replace(chip_arch("tiny"), cells="synchronous", array_cycles=2))
ONE_MACRO = dense(
    replace(small(), cores=1, macros_per_core=1, bus_words=1, psum_entries=4, simd_lanes=4)
)
CHIPS = {
    "small": dense(small()),
    "tiny": TINY,
    "narrow": dense(narrow()),
    "one macro": ONE_MACRO,
    "rows": dense(rows()),
    "paper": chip_arch("paper_dense", "none"),
}
DRAWN = [name for name in CHIPS if name != "paper"]
"""Chips for networks that are drawn."""


@pytest.mark.dear("small")
@pytest.mark.promise(
    "the Verilog of a dense chip has no switch, masks, queue of groups, zero detection, metadata,"
    " sign or index"
)
@pytest.mark.parametrize("name", ["small", "paper"])
def test_no_part_for_sparsity_is_in_the_file_list(name: str) -> None:
    kept = verilog_modules(make_chip(with_sparsity(chip_arch(name), "none")))
    modules = verilog_modules(make_chip(CHIPS[name]))
    assert {f"dbpim_{part}" for part in ABSENT[:4]} <= set(kept)
    assert not {f"dbpim_{part}" for part in ABSENT} & set(modules)
    # Comments speak of every chip of the family.
    source = re.sub(r"//.*", "", "\n".join(modules.values()))
    names = {word for word in WORDS if f"_{word}" in source or f"{word}_" in source}
    assert not names - {"mask"}, "names of what is left out"
    # The header of a tile still says how many words it walks.
    assert source.count("mask") == source.count("mask_words")


def test_the_tiles_of_a_dense_chip_have_no_masks() -> None:
    network = load_network(DIGITS)
    arch, kept = CHIPS["small"], with_sparsity(small(), "none")
    programs = {chip: compiled(network, chip) for chip in (arch, kept)}
    tiles = {
        chip: [p for p in decode_stream(program.image, chip) if isinstance(p, TilePacket)]
        for chip, program in programs.items()
    }
    for tile in tiles[arch]:
        assert tile.masks.all() and tile.fields["coding"] == Coding.FLAT
        assert len(tile.masks) == len(tile.codes) <= arch.tile_rows
    beats = {chip: sum(tile.beats for tile in found) for chip, found in tiles.items()}
    assert beats[arch] < beats[kept]
    assert set(core_events(kept)) - set(core_events(arch)) == set(WITH_PARTS)


@pytest.mark.dear("tiny")
@pytest.mark.promise("Verilator -Wall is silent")
@pytest.mark.parametrize("name", DRAWN)
def test_lint_clean(name: str) -> None:
    assert lint_part(Core(arch=CHIPS[name])) == ""


@pytest.mark.promise(
    "a dense chip is equal in RTL in every element, cycle and event, random networks and sizes of"
    " 1 included"
)
def test_digits_are_equal_in_rtl(tmp_path: Path) -> None:
    network = load_network(DIGITS)
    check_chip(network, CHIPS["small"], random_images(network, 2, seed=1), tmp_path)


@pytest.mark.dear("1-small")
@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("seed", range(2))
def test_random_networks_are_equal_in_rtl(name: str, seed: int, tmp_path: Path) -> None:
    network = random_network(draw_recipe(seed), seed=seed)
    check_chip(network, CHIPS[name], random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear
@pytest.mark.parametrize("seed", range(4))
def test_networks_of_sizes_of_one_are_equal_in_rtl(seed: int, tmp_path: Path) -> None:
    network = random_network(draw_recipe_of_ones(seed), seed=seed)
    check_chip(network, TINY, random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear
def test_a_transformer_is_equal_in_rtl(tmp_path: Path) -> None:
    network = random_network(draw_row_recipe(1), seed=1)
    check_chip(network, dense(rows()), random_images(network, 1, seed=1), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("seed", range(2, 20))
def test_many_random_networks(name: str, seed: int, tmp_path: Path) -> None:
    test_random_networks_are_equal_in_rtl(name, seed, tmp_path)


@pytest.mark.long
def test_resnet20_is_equal_in_rtl(tmp_path: Path) -> None:
    network = load_network(RESNET20)
    check_chip(network, CHIPS["paper"], random_images(network, 1, seed=1), tmp_path)


@pytest.mark.dear
def test_the_core_and_its_macro_alone(tmp_path: Path) -> None:
    for name in ("core", "macro"):
        (tmp_path / name).mkdir()
    run_core(CHIPS["small"], tmp_path / "core", None)
    run_macro(TINY, tmp_path / "macro")


@pytest.mark.promise(
    "a dense chip of whole words takes no more cycles than one that keeps its switch; words that"
    " are not full cost it rows"
)
def test_a_direct_word_is_not_slower_than_a_switch() -> None:
    network = load_network(DIGITS)
    maps = infer(network, random_images(network, 1, seed=1))
    found = {}
    for chip in (CHIPS["small"], with_sparsity(small(), "none")):
        steps = CycleModel(compiled(network, chip), chip).predict(maps).found
        found[chip] = {step.name: step.cycles for step in steps}
    dense_chip, kept = found.values()
    # conv1 reads windows of 3 pixels of 1 channel: 3 words of 3 inputs for 9 inputs in 2 rows.
    assert dense_chip["conv1"] > kept["conv1"]
    # conv2 reads 16 channels, two whole words of 8.
    assert dense_chip["conv2"] <= kept["conv2"]
