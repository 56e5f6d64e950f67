"""Sums of DB-PIM macros whose cells flip: exact without flips, and what a flip does."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from golden.dbpim.dbmu import dbmu, dense_dbmu, pair_dbmu
from golden.dbpim.effects import ErringMacros, erring
from golden.dbpim.weight_decoder import constants, decode, pair_constants, pair_values
from golden.network import answer, infer
from hwgen.chip.effects import DeviceEffects, load_effects
from hwgen.commands.images import choose_images
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import load_arch
from hwgen.errors import ConfigError
from hwgen.files.shipped import tables
from hwgen.network.file import load_network, network_file
from tests.verif.dbpim.test_pairs import pairs_of_all_kinds
from verif.common.drawing import draw_images
from verif.reference.dbpim.ipu import ipu


def with_flips(share: float) -> DeviceEffects:
    """Return the effects that ship, with a share of flipped cells."""
    shipped = load_effects(tables("effects")["effects/sram_low_voltage"])
    return replace(shipped, cells=replace(shipped.cells, flipped=share))


@cache
def chips(arch: str, share: float, seed: int = 1) -> ErringMacros:
    """Return the macros of a chip with the digits' network."""
    network = load_network(network_file(Path("digits_small_cnn")))
    parameters = load_arch(tables("dbpim")[f"dbpim/{arch}"])
    program = compile_network(network, parameters)
    return ErringMacros(network, parameters, with_flips(share), seed, program)


ARCHS = ("small", "paper_dense", "paper", "macro_64x64")


@pytest.mark.promise("without effects of devices every map of a DB-PIM chip is golden's")
@pytest.mark.parametrize("arch", ARCHS)
def test_without_flips_maps_are_exact(arch: str) -> None:
    macros = chips(arch, 0.0)
    images = choose_images(macros.network, "digits", 4).images
    found, wanted = infer(macros.network, images, sums_by=macros), infer(macros.network, images)
    assert macros._checked  # layers whose weights are in macros
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_both_groups_of_a_pair_tile_are_exact() -> None:
    arch = replace(load_arch(tables("dbpim")["dbpim/small"]), one_digit="paired")
    network = pairs_of_all_kinds()
    macros = ErringMacros(network, arch, with_flips(0.0), 1, compile_network(network, arch))
    images = draw_images(network, 2, seed=1)
    found, wanted = infer(network, images, sums_by=macros), infer(network, images)
    assert "linear_5" in macros._checked
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.promise("a flipped cell of a DB-PIM macro moves a digit, and its constant stays")
@pytest.mark.parametrize("arch", ARCHS)
def test_a_tile_is_what_its_planes_add_up_to(arch: str) -> None:
    """Plane by plane: terms of flipped cells, less the constants of those that were written."""
    macros, rng = chips(arch, 0.1), np.random.default_rng(7)
    name = next(iter(macros._layers))
    held = macros._layers[name]
    sparse, skip = macros.arch.sparsity.weight_bits, macros.arch.sparsity.input_bits
    for group, walked in list(held.groups.items())[:3]:
        for tile, (packet, half) in zip(macros._held(name, group, flips=True), walked, strict=True):
            rows, compartments, filters = packet.codes.shape
            count = int(packet.masks.sum())
            flat = rng.integers(0, 256, count).astype(np.uint8) * rng.integers(0, 2, count)
            seen = np.zeros((1, *held_words(macros, held.fields, packet)), np.uint8)
            first = first_word(held.fields, packet.fields)
            seen[0, first : first + len(packet.masks)][packet.masks] = flat
            inputs = np.zeros(rows * compartments, np.uint8)
            inputs[:count] = flat
            enable = np.array([packet.fields["filter_enable"] >> n & 1 for n in range(2 * filters)])
            flipped = flipped_codes(macros, name, packet, walked.index((packet, half)))
            wanted = np.zeros(filters, np.int64)
            for row, inputs_of_row in enumerate(inputs.reshape(rows, compartments)):
                for bit, plane in ipu(inputs_of_row, skip=skip):
                    x = np.array(plane)[:, np.newaxis]
                    if packet.fields["double"]:
                        cells = (pair_values(flipped[row]) * enable).reshape(compartments, -1, 2)
                        terms = pair_dbmu(x, cells[..., half]).sum(axis=0)
                        off = -pair_constants(packet.codes[row], enable.reshape(-1, 2) == 1)[half]
                    elif sparse:
                        cells = (decode(flipped[row]).values * enable).reshape(compartments, -1, 2)
                        terms = dbmu(x, cells).sum(axis=0)
                        off = -constants(packet.codes[row], enable.reshape(-1, 2) == 1)
                    else:
                        weights = flipped[row].view(np.int8) * enable[::2]
                        terms = dense_dbmu(x, weights).sum(axis=0)
                        off = np.full(filters, 128 * compartments)
                    wanted += (terms - off) << bit
            found = macros._products(held.fields, tile, seen)
            np.testing.assert_array_equal(found[0], wanted, err_msg=f"{name}, group {group}")


def held_words(macros: ErringMacros, fields: object, packet: object) -> tuple[int, int]:
    """Return words of a window and channels of a word."""
    plain: dict[str, int] = dict(fields)  # type: ignore[call-overload]
    words = plain["kernel_height"] * plain["kernel_width"] * plain["input_channel_words"]
    return words, macros.arch.word


def first_word(fields: object, tile: object) -> int:
    """Return the word of a window at which a tile begins."""
    of_layer: dict[str, int] = dict(fields)  # type: ignore[call-overload]
    at: dict[str, int] = dict(tile)  # type: ignore[call-overload]
    row = at["kernel_y"] * of_layer["kernel_width"] + at["kernel_x"]
    return row * of_layer["input_channel_words"] + at["channel_word"]


def flipped_codes(macros: ErringMacros, name: str, packet: object, number: int) -> np.ndarray:
    """Return the codes of a tile with its flips; only cells flip, at the share of the file."""
    tile: object = packet
    codes = tile.codes  # type: ignore[attr-defined]
    cells = [3, 7] if macros.arch.sparsity.weight_bits else list(range(8))
    place = macros._places[name], tile.fields["group"], number  # type: ignore[attr-defined]
    drawn = np.random.default_rng((macros.seed, *place)).random((*codes.shape, len(cells)))
    flipped = codes.copy()
    for cell, each in zip(cells, np.moveaxis(drawn, -1, 0), strict=True):
        flipped[each < macros.effects.cells.flipped] ^= 1 << cell
    return flipped  # type: ignore[no-any-return]


@pytest.mark.promise("which cell of a DB-PIM chip flips follows from the file and the seed alone")
def test_a_seed_is_a_chip() -> None:
    one, other = chips("small", 0.05), chips("small", 0.05, 2)
    images = choose_images(one.network, "digits", 6).images
    again = erring(one.network, one.arch, one.effects, 1, one.program)
    first = answer(one.network, images, sums_by=one)
    assert np.array_equal(first, answer(one.network, images, sums_by=again))
    assert np.array_equal(first[3:], answer(one.network, images[3:], sums_by=again))
    assert not np.array_equal(first, answer(one.network, images, sums_by=other))


def test_effects_of_other_devices_are_refused() -> None:
    one = chips("small", 0.0)
    wrong = replace(one.effects, cells=replace(one.effects.cells, failed_writes=0.1))
    with pytest.raises(ConfigError, match=r"cells\.failed_writes must be 0, since chips of the"):
        erring(one.network, one.arch, wrong, 1, one.program)
