"""Chips whose words have fewer channels than a macro has compartments are exact."""

from dataclasses import replace
from pathlib import Path

import pytest

from golden.network import infer
from hwgen.commands.subject import configuration_of
from hwgen.dbpim.facts.arch import Arch, MacroSize, load_arch, with_sparsity
from hwgen.dbpim.model import CycleModel, energy_pj
from hwgen.errors import ConfigError
from hwgen.network.file import load_network
from tests.dbpim.compiler.test_execute import check
from tests.verif.dbpim.chips import CONFIGS, check_chip, chip_arch, compiled
from verif.dbpim.component import paired, short_words, small
from verif.dbpim.random_network import (
    draw_recipe,
    draw_recipe_of_ones,
    random_images,
    random_network,
)

DIGITS = CONFIGS / "networks" / "digits_small_cnn.npz"


def chip(arch: Arch, compartments: int, columns: int, rows: int, word: int) -> Arch:
    """Return a chip of other macros and words."""
    macro = MacroSize(compartments=compartments, columns=columns, rows=rows)
    return replace(
        arch,
        macro=macro,
        tile_rows=rows // 2,
        word_channels=word,
        mask_bytes=compartments * rows // 2,
        simd_lanes=word,
        switch_rate=4,
    )


CHIPS = {
    "twice": short_words(),
    "four times": chip(small(), 16, 8, 8, 4),
    "dense": with_sparsity(chip(small(), 32, 16, 4, 8), "none"),
    "pairs": chip(replace(paired(), cells="synchronous"), 16, 16, 4, 8),
    "sixteen times": chip(small(), 64, 8, 4, 4),
}
LONG = ("pairs", "sixteen times")
"""Chips whose simulators take most of a minute to build."""


@pytest.mark.dear
@pytest.mark.promise(
    "words of fewer channels than a macro has compartments fill a group one after the other; such"
    " chips are equal in RTL in every element, cycle and event"
)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.long if n in LONG else ()) for n in CHIPS]
)
@pytest.mark.parametrize("seed", range(2))
def test_random_networks_are_equal_in_rtl(name: str, seed: int, tmp_path: Path) -> None:
    network = random_network(draw_recipe(seed), seed=seed)
    check_chip(network, CHIPS[name], random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear
@pytest.mark.parametrize("seed", range(3))
def test_networks_of_sizes_of_one_are_equal_in_rtl(seed: int, tmp_path: Path) -> None:
    network = random_network(draw_recipe_of_ones(seed), seed=seed)
    check_chip(network, CHIPS["twice"], random_images(network, 2, seed=seed), tmp_path)


@pytest.mark.dear("3-twice")
@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("seed", range(2, 6))
def test_programs_do_what_golden_says(name: str, seed: int) -> None:
    check(random_network(draw_recipe(seed), seed=seed), CHIPS[name], images=2, seed=seed)


@pytest.mark.long
def test_digits_on_a_macro_of_64_x_64_are_equal_in_rtl(tmp_path: Path) -> None:
    """Verilator takes 80 seconds and 1.7 GB, the C++ compiler some 6 minutes."""
    arch = replace(
        chip_arch("macro_64x64"),
        cores=1,
        macros_per_core=1,
        bus_words=1,
        simd_lanes=32,
        port_bits=128,
    )
    network = load_network(DIGITS)
    check_chip(network, arch, random_images(network, 1, seed=1), tmp_path)


@pytest.mark.dear
def test_shorter_words_waste_less_of_the_buffers() -> None:
    """Maps of 16 channels fill a quarter of a word of 64: they are cut into more bands."""
    network = load_network(CONFIGS / "networks" / "cifar10_resnet20_50.npz")
    maps = infer(network, random_images(network, 1, seed=1))
    arch = replace(chip_arch("macro_64x64"), buffer_bytes=32768)
    found = []
    for each in (arch, replace(arch, word_channels=64)):
        program = compiled(network, each)
        found.append((len(program.facts.steps), CycleModel(program, each).predict(maps).cycles))
    assert found[0][0] < found[1][0] and found[0][1] < 0.75 * found[1][1]


def test_a_word_costs_its_channels() -> None:
    short, long = short_words(), replace(short_words(), word_channels=None)
    one = {"bank_reads": 1, "groups": 1, "bit_planes": 1}
    found, whole = energy_pj(one, short), energy_pj(one, long)
    assert 2 * found["bank_reads"] == pytest.approx(whole["bank_reads"])
    assert (found["groups"], found["bit_planes"]) == (whole["groups"], whole["bit_planes"])


def test_words_are_part_of_the_digest() -> None:
    arch = small()
    assert "word_channels" not in configuration_of(arch)
    macro = replace(arch.macro, columns=8)
    assert len({replace(arch, macro=macro, word_channels=n).digest for n in (None, 4, 8)}) == 3
    assert (arch.word, short_words().word) == (8, 8)


@pytest.mark.dear
@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("word_channels: 32", "word_channels: 48", "word_channels must be a power of two"),
        ("compartments: 64", "compartments: 16", "word_channels must be at most macro.comp"),
        ("input_streams: own", "input_streams: shared", "word_channels must be absent with input"),
        ("simd_lanes: 64", "simd_lanes: 128", r"at most macros_per_core \* word_channels"),
        (
            "simd_lanes: 64",
            "simd_lanes: 16\nword_channels: 16\n#",
            r"macro.columns must be at most 2 \* word_channels",
        ),
    ],
)
def test_words_are_checked(before: str, after: str, message: str, tmp_path: Path) -> None:
    text = (CONFIGS / "dbpim" / "macro_64x64.yaml").read_text(encoding="utf-8")
    path = tmp_path / "chip.yaml"
    if "word_channels" in after and "word_channels" not in before:
        text = text.replace("word_channels: 32\n", "")
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_arch(path)
