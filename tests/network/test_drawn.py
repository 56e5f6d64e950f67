"""What is drawn has the densities that were asked for, and chips take it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.network.check import check_network
from hwgen.network.densities import (
    Densities,
    MapDensities,
    WeightDensities,
    densities_of,
    load_densities,
    map_counted,
    weights_counted,
)
from hwgen.network.drawn import (
    digest_of_densities,
    drawn_map,
    drawn_maps,
    drawn_network,
    drawn_parameters,
    drawn_weights,
)
from hwgen.network.file import load_network
from hwgen.network.maps import byte_map
from tests.network.changes import BYTES
from tests.network.test_densities import OWN, written

GIVEN = [
    WeightDensities(),
    WeightDensities(pruned_blocks=0.5, digits=(0.25, 0.25, 0.5, 0, 0)),
    WeightDensities(block_filters=16, pruned_blocks=0.75, digits=(0, 1, 0, 0, 0)),
    WeightDensities(pruned_blocks=0.25, digits=(0, 0, 0, 0, 1), exact=False, more_than_two=0.4),
    WeightDensities(pruned_blocks=1.0),
]


@pytest.mark.parametrize("given", GIVEN)
def test_weights_have_their_densities(given: WeightDensities) -> None:
    weights = drawn_weights((64, 5, 5, 16), given, np.random.default_rng(1))
    found = weights_counted(weights)
    if given.pruned_blocks == 1:
        assert not weights.any()
        return
    assert found.pruned_blocks == pytest.approx(given.pruned_blocks, abs=0.01)
    assert found.more_than_two == pytest.approx(given.more_than_two, abs=0.03)
    assert replace(found, pruned_blocks=0, more_than_two=0) == replace(
        given, pruned_blocks=0, more_than_two=0
    ) or (found.block_filters > given.block_filters and not given.pruned_blocks)


@pytest.mark.parametrize(
    ("ones", "zeros", "channels"),
    [(0.5, 0.0, 16), (0.2, 0.5, 16), (0.01, 0.9, 64), (0.0, 1.0, 16), (0.3, 0.3, 3), (1.0, 0.0, 1)],
)
def test_maps_have_their_densities(ones: float, zeros: float, channels: int) -> None:
    given = MapDensities(ones=(ones,) * 8, zero_planes=(zeros,) * 8)
    found = drawn_map((2, 40, 40, channels), given, np.random.default_rng(1))
    counted = map_counted(
        found, byte_map((40, 40, channels), scale=1.0, zero_point=0, low=0, high=255)
    )
    assert counted.zero_planes == pytest.approx(given.zero_planes, abs=0.03)
    # A group that is not zero has a one at least, however few were asked for.
    least = (1 - zeros) / min(16, channels)
    assert counted.ones == pytest.approx((max(ones, least),) * 8, abs=0.04)


@pytest.mark.parametrize(
    "name",
    ["digits_small_cnn", "digits_vit", "cifar10_cct", "digits_resnet20"],
)
def test_a_drawn_network_is_one(name: str) -> None:
    network = load_network(Path(name))
    maps = drawn_maps(
        Densities(
            graph=network.graph,
            weights={},
            maps={
                key: MapDensities() for key in ["input", *(each.name for each in network.layers)]
            },
        ),
        1,
    )
    found = densities_of(network, maps)
    drawn = drawn_network(found)
    check_network(drawn, source=name)
    assert drawn.graph.preprocessing == f"drawn: {digest_of_densities(found)}"
    assert [layer.name for layer in drawn.layers] == [layer.name for layer in network.layers]


@pytest.mark.parametrize(
    ("grid", "groups", "wanted"), [("integer", 2, range(-8, 8)), ("odd", 1, range(-15, 16, 2))]
)
def test_weights_without_blocks_lie_on_their_grid(grid: str, groups: int, wanted: range) -> None:
    conv = replace(
        next(each for each in BYTES.layers if each.op == "conv"),
        groups=groups,
        weight_grid=grid,
        weight_bits=4,
    )
    before = BYTES.map_of(conv.inputs[0])
    before = replace(before, channels=64)
    weights = drawn_parameters(conv, before, None, np.random.default_rng(1)).weights
    assert set(np.unique(weights)) == set(wanted)


def test_all_is_drawn_again_alike_and_follows_the_densities(tmp_path: Path) -> None:
    found = load_densities(written(tmp_path, OWN))
    assert drawn_network(found).digest == drawn_network(found).digest
    maps, again = drawn_maps(found, 2), drawn_maps(found, 2)
    assert all((maps[name] == again[name]).all() for name in maps)
    assert maps["input"].shape == (2, 8, 8, 3)
    raw = {name: feature.raw for name, feature in found.graph.maps.items()}
    assert {name: not maps[name].any() for name in maps} == raw
    other = load_densities(written(tmp_path, OWN.replace("0.5, 1]", "0.25, 1]")))
    assert drawn_network(other).digest != drawn_network(found).digest
