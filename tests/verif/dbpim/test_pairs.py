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
from verif.dbpim.random_network import draw_recipe, random_images, random_network


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
