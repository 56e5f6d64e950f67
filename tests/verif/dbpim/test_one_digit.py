"""Chips that read weights of one digit in 4 bits: same weights, fewer beats, equal in RTL."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Coding
from hwgen.dbpim.facts.stream import TilePacket, decode_stream
from hwgen.dbpim.model import CycleModel
from hwgen.network import INPUT, QuantizedNetwork
from tests.verif.dbpim.chips import check_chip, chip_arch, compiled
from verif.dbpim.directed_corners import fill_weights, finish
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_network import draw_recipe, random_images, random_network

CHIPS = ("small", "tiny", "paper")


def groups_of_all_kinds() -> QuantizedNetwork:
    """Groups of one digit, of one and none, of two, of both, loose, and with a second walk."""
    net = NetworkBuilder(name="kinds", shape=(4, 5, 6), seed=3)
    phis = [*[1] * 8, *[2] * 8, *[1, 0] * 4, *[1, 2] * 4, *[3, 4, 1, 0] * 2, 1, 1, 1]
    now = net.conv(INPUT, fill_weights(net, INPUT, phis, pruned_share=0.4))
    now = net.conv(now, fill_weights(net, now, [1] * 16, pruned_share=0.6))
    now = net.conv(now, fill_weights(net, now, [2, 1] * 4, loose_share=0.7))
    finish(net, now)
    return net.build()


def tiles_of(network: QuantizedNetwork, arch: Arch) -> list[TilePacket]:
    # The splits that the model finds best may differ with the coding: those of the estimate do not.
    packets = decode_stream(compile_network(network, arch).image, arch)
    return [packet for packet in packets if isinstance(packet, TilePacket)]


def coded(name: str) -> Arch:
    return replace(chip_arch(name), one_digit="coded")


@pytest.mark.dear("small")
@pytest.mark.promise(
    "where no filter of a tile has more than one digit, a weight takes four bits of the stream,"
    " and the chip is equal in RTL"
)
@pytest.mark.parametrize("name", CHIPS)
def test_every_coding_holds_the_same_weights(name: str) -> None:
    network = groups_of_all_kinds()
    arch = coded(name)
    short, plain = tiles_of(network, arch), tiles_of(network, chip_arch(name))
    assert {tile.fields["coding"] for tile in short} == set(Coding)
    for tile, other in zip(short, plain, strict=True):
        np.testing.assert_array_equal(tile.codes, other.codes)
        np.testing.assert_array_equal(tile.masks, other.masks)
        assert tile.beats <= other.beats


def test_random_networks_of_one_digit_load_less_and_take_no_longer() -> None:
    found = []
    for seed in range(8):
        network = random_network(replace(draw_recipe(seed), max_digits=1), seed=seed)
        maps = infer(network, random_images(network, 1, seed=seed))
        for arch in (chip_arch("small"), coded("small")):
            program = compiled(network, arch)
            found.append((len(program.image), CycleModel(program, arch).predict(maps).cycles))
    plain, short = np.array(found[::2]), np.array(found[1::2])
    assert (short <= plain).all() and (short.sum(axis=0) < plain.sum(axis=0)).all()


@pytest.mark.dear
def test_equal_in_rtl(tmp_path: Path) -> None:
    network = groups_of_all_kinds()
    check_chip(network, coded("small"), random_images(network, 2, seed=1), tmp_path)
