"""Small spaces whole: the search answers with the best of all designs, and its bound is above."""

import random
from functools import cache
from math import prod

import numpy as np
import pytest

from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.tables import CONV, make_tables
from tests.crossbar.model.layers import conv, fc, layer, pool
from tests.crossbar.synthesis.enumerated import FEW, MOST_CLOCKS, best_of, network, searched

NETWORKS, BATCH = 200, 20
FEW_NETWORKS = 12
"""In the default run."""

MOST_DESIGNS = 20_000
"""Of a network, without pairs: what takes seconds to judge exactly."""

WATTS = (0.3, 0.45, 0.8)
CLOSE = 0.005
ROUNDING = 1e-9


def drawn(rng: random.Random) -> CrossbarNetwork:
    """Two to four layers in a row, or a sum of the last two maps, perhaps with a head."""
    side = first = rng.choice((2, 3, 4))
    channels, layers = 3, list[CrossbarLayer]()
    count = rng.randint(2, 4)
    while len(layers) < count:
        place = len(layers)
        name, before = f"layer{place}", (place - 1,) if place else ()
        kind = rng.choice(("conv", "conv", "pool", "sum", "fc"))
        out = rng.choice((8, 16, 24))
        if place and kind == "pool" and side > 1:
            layers.append(pool(name, before, channels, (side, side // 2), window=(2, 2, 0)))
            side //= 2
        elif place > 1 and kind == "sum" and alike(layers[-1], layers[-2]):
            layers.append(
                layer(name, "eltwise", (place - 2, place - 1), (channels,) * 2, (side,) * 2)
            )
        elif place and kind == "fc" and place == count - 1:
            layers.append(fc(name, before, (channels * side * side, out)))
        else:
            window = rng.choice(((1, 1, 0), (3, 1, 1)))
            layers.append(conv(name, before, (channels, out), (side, side), window=window))
            channels = out
    return network(*layers, side=first)


def alike(one: CrossbarLayer, two: CrossbarLayer) -> bool:
    """Whether two layers write maps of the same shape."""
    return (one.out_channels, one.out_side) == (two.out_channels, two.out_side)


def designs_of(tiny: CrossbarNetwork) -> int:
    """How many designs a network has at a point, without pairs."""
    (point, *_) = points(FEW, STRICT)
    tables = make_tables(tiny, FEW, point, 1.0, STRICT)
    counts = []
    for i in np.flatnonzero(tables.crossbars):
        copies = range(1, tables.pixels[i] + 1) if tables.kind[i] == CONV else [1]
        clocks = 1 if tables.kind[i] == CONV else MOST_CLOCKS
        counts.append(clocks * sum(each * tables.row_tiles[i] for each in copies))
    return prod(map(int, counts))


@cache
def small_networks(count: int) -> list[tuple[int, CrossbarNetwork]]:
    """The first networks that can be enumerated, each with its seed."""
    found: list[tuple[int, CrossbarNetwork]] = []
    seed = 0
    while len(found) < count:
        tiny = drawn(random.Random(seed))
        if designs_of(tiny) <= MOST_DESIGNS:
            found.append((seed, tiny))
        seed += 1
    return found


@pytest.mark.dear
@pytest.mark.promise("on networks that can be enumerated the search finds the best design")
def test_the_best_of_all_designs() -> None:
    hold_to_the_best(small_networks(FEW_NETWORKS))


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, NETWORKS, BATCH))
def test_the_best_of_all_designs_of_two_hundred_networks(first: int) -> None:
    hold_to_the_best(small_networks(NETWORKS)[first : first + BATCH])


def hold_to_the_best(networks: list[tuple[int, CrossbarNetwork]]) -> None:
    """Hold the answers and bounds of searches to all designs; prints what was seen."""
    short, gaps = [], []
    for seed, tiny in networks:
        watts = WATTS[seed % len(WATTS)]
        best, found = best_of(tiny, watts, STRICT), searched(tiny, watts, 1)
        assert (best is None) == (found is None), seed
        if best is None or found is None:
            continue
        efficiency = best[2].efficiency
        short.append(1 - found.best.efficiency_gops_per_w / efficiency)
        gaps.append(found.bound_gops_per_w / efficiency - 1)
        assert -ROUNDING <= short[-1] <= CLOSE, seed
        assert gaps[-1] >= -ROUNDING, seed
    print(f"{len(networks)} networks, {len(short)} of which fit")
    print(f"answers below the best: {sum(each > ROUNDING for each in short)}", end=", ")
    print(f"by {max(short):.2%} at most; bounds above it: {max(gaps):.2%} at most", end=", ")
    print(f"{np.mean(gaps):.2%} in the mean")
    assert len(short) > len(networks) // 2
