"""Chips on which two filter groups of one digit share rows: values, cycles and events, in RTL."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.model import CycleModel
from hwgen.network import INPUT, QuantizedNetwork
from tests.verif.dbpim.chips import check_chip, chip_arch, compiled
from tests.verif.dbpim.test_one_digit import tiles_of
from verif.dbpim.component import paired
from verif.dbpim.directed_corners import fill_weights, finish
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_network import (
    draw_recipe,
    draw_recipe_of_ones,
    random_images,
    random_network,
)


def pairs_of_all_kinds() -> QuantizedNetwork:
    """Pairs over one tile and several, under a sum, of a tail, beside groups that have none."""
    net = NetworkBuilder(name="pairs", shape=(4, 5, 6), seed=3)
    phis = [*[1] * 8, *[2] * 8, *[1, 0] * 4, *[1, 2] * 4, *[3, 4, 1, 0] * 2, *[1] * 11]
    now = net.conv(INPUT, fill_weights(net, INPUT, phis, pruned_share=0.4))
    now = net.conv(now, fill_weights(net, now, [1] * 40, pruned_share=0.6))
    point = fill_weights(net, now, [1] * 40, kernel=(1, 1), loose_share=0.7)
    now = net.add(now, net.conv(now, point, kernel=(1, 1), padding=0))
    now = net.conv(now, fill_weights(net, now, [2, 1] * 4, loose_share=0.7))
    finish(net, now)
    return net.build()


def pairs_at_the_end() -> QuantizedNetwork:
    """A head of one digit, whose raw sums are those of two groups."""
    net = NetworkBuilder(name="head", shape=(3, 3, 7), seed=5)
    now = net.conv(INPUT, fill_weights(net, INPUT, [1] * 16))
    whole = net.features[now].shape[:2]
    net.linear(now, fill_weights(net, now, [1] * 13, kernel=whole), head=True)
    return net.build()


def stream_of_pairs() -> QuantizedNetwork:
    """Waves of pairs and groups alone, of which one walks again; the last wave is not full."""
    net = NetworkBuilder(name="stream", shape=(6, 8, 16), seed=7)
    phis = [*[1] * 8, *[2] * 8, *[1, 0] * 4, *[1, 2] * 4, *[3, 4, 1, 0] * 2, *[1] * 11]
    now = INPUT
    for filters in (phis, [1] * 40, [1] * 24):
        weights = fill_weights(net, now, filters, kernel=(1, 1), pruned_share=0.3)
        now = net.conv(now, weights, kernel=(1, 1), padding=0)
    finish(net, net.conv(now, fill_weights(net, now, [1] * 19, loose_share=0.3)))
    return net.build()


def doubles(network: QuantizedNetwork, arch: Arch) -> list[int]:
    return [tile.fields["double"] for tile in tiles_of(network, arch)]


@pytest.mark.dear("head")
@pytest.mark.promise(
    "whole networks of pairs and of groups alone equal golden in every element and the model in"
    " every cycle and event"
)
@pytest.mark.parametrize(
    "network", [pairs_of_all_kinds(), pairs_at_the_end()], ids=lambda network: network.graph.name
)
def test_equal_in_rtl(network: QuantizedNetwork, tmp_path: Path) -> None:
    assert 1 in doubles(network, paired())
    check_chip(network, paired(), random_images(network, 2, seed=1), tmp_path)


@pytest.mark.dear
@pytest.mark.parametrize("seed", range(6))
def test_random_networks_equal_in_rtl(seed: int, tmp_path: Path) -> None:
    """All share a simulator; digits of a weight at most: one, two, three, four."""
    recipe = replace(draw_recipe(seed), max_digits=1 + seed % 4)
    network = random_network(recipe, seed=seed)
    arch = replace(paired(), logit_entries=1024)
    check_chip(network, arch, random_images(network, 1, seed=seed), tmp_path)


def streamed(cores: int = 2) -> Arch:
    """Return the small chip with pair tiles, one stream of words and a port that brings pairs."""
    changes = {"cores": cores, "port_bits": 128, "logit_entries": 1024}
    return replace(paired(), input_streams="shared", name=f"streamed_{cores}", **changes)


@pytest.mark.dear
@pytest.mark.promise(
    "with one stream, as few groups of one digit are in pairs as save a wave of the cores, cut"
    " together with the groups that stay alone"
)
@pytest.mark.parametrize(
    "cores", [2, pytest.param(1, marks=pytest.mark.long), pytest.param(4, marks=pytest.mark.long)]
)
def test_pairs_of_one_stream_equal_in_rtl(cores: int, tmp_path: Path) -> None:
    """All networks share a simulator: pairs of all kinds, drawn ones, and sizes of one."""
    arch = streamed(cores)
    networks = [pairs_of_all_kinds(), pairs_at_the_end(), stream_of_pairs()]
    for seed in range(6):
        recipe = replace(draw_recipe(seed), max_digits=1 + seed % 2)
        networks += [random_network(recipe, seed=seed)]
        networks += [random_network(draw_recipe_of_ones(seed), seed=seed)]
    assert cores > 2 or sum(sum(doubles(network, arch)) for network in networks) > 100
    for number, network in enumerate(networks):
        folder = tmp_path / str(number)
        folder.mkdir()
        check_chip(network, arch, random_images(network, 2, seed=1), folder)


@pytest.mark.long
@pytest.mark.parametrize("changes", [{}, {"array_cycles": 2, "cells": "synchronous"}], ids=str)
def test_tiny_pairs_of_one_stream_equal_in_rtl(changes: dict, tmp_path: Path) -> None:
    """Macros of four filters: two groups share the mask of eight."""
    arch = replace(chip_arch("tiny"), one_digit="paired", input_streams="shared", **changes)
    for network in (pairs_of_all_kinds(), pairs_at_the_end(), stream_of_pairs()):
        check_chip(network, arch, random_images(network, 2, seed=1), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", ["tiny", "wide", "paper_digits", "paper_float32"])
@pytest.mark.parametrize("changes", [{}, {"array_cycles": 2, "cells": "synchronous"}], ids=str)
def test_other_chips_equal_in_rtl(name: str, changes: dict, tmp_path: Path) -> None:
    arch = replace(chip_arch(name), one_digit="paired", **changes)
    for network in (pairs_of_all_kinds(), pairs_at_the_end()):
        check_chip(network, arch, random_images(network, 2, seed=1), tmp_path)


@pytest.mark.promise(
    "a group takes the partner that adds the fewest inputs; what saves nothing, has two digits"
    " or costs the layer more stays alone"
)
def test_random_networks_of_one_digit_take_fewer_cycles() -> None:
    found = []
    for seed in range(8):
        network = random_network(replace(draw_recipe(seed), max_digits=1), seed=seed)
        maps = infer(network, random_images(network, 1, seed=seed))
        for arch in (replace(paired(), one_digit="coded"), paired()):
            program = compiled(network, arch)
            found.append(CycleModel(program, arch).predict(maps).cycles)
    coded, pairs = np.array(found[::2]), np.array(found[1::2])
    assert pairs.sum() < coded.sum()
    assert (pairs < 1.1 * coded).all()
