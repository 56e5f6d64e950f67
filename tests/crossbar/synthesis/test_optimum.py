"""Small networks reach the best of all their designs, whatever the seed."""

import pytest

from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import STRICT, Objective
from tests.crossbar.model.layers import conv, layer, pool
from tests.crossbar.synthesis.enumerated import (
    HEADED,
    RESIDUAL,
    WIDE,
    best_of,
    merits_of,
    network,
    searched,
)

POOLED = network(
    conv("one", (), (3, 16), (4, 4), window=(3, 1, 1)),
    pool("pool", (0,), 16, (4, 2), window=(2, 2, 0)),
    conv("two", (1,), (16, 16), (2, 2), window=(1, 1, 0)),
    layer("sum", "eltwise", (1, 2), (16, 16), (2, 2)),
    side=4,
)
SMALL = {"wide": WIDE, "headed": HEADED, "residual": RESIDUAL, "pooled": POOLED}
WATTS = {"wide": 0.45, "headed": 0.45, "residual": 0.45, "pooled": 0.45}
SEEDS = range(1, 11)


def answer(tiny: CrossbarNetwork, power_w: float, seed: int) -> float:
    """The efficiency of the design that a search finds."""
    found = searched(tiny, power_w, seed)
    assert found is not None
    return found.best.efficiency_gops_per_w


@pytest.mark.long
@pytest.mark.parametrize("name", SMALL)
def test_every_seed_finds_the_optimum(name: str) -> None:
    best = best_of(SMALL[name], WATTS[name], STRICT)
    assert best is not None
    found = [answer(SMALL[name], WATTS[name], seed) for seed in SEEDS]
    assert found == pytest.approx([best[2].efficiency] * len(SEEDS), rel=1e-12)


@pytest.fixture(scope="module")
def merits() -> dict[Objective, float]:
    """The best of all designs of a small network, by each objective."""
    return merits_of(HEADED, WATTS["headed"])


@pytest.mark.dear
@pytest.mark.promise(
    "a synthesis for throughput, latency or energy x delay finds the best of all designs of small"
    " networks, and its bound is above"
)
@pytest.mark.parametrize("objective", ["stream", "throughput", "latency", "edp"])
def test_each_objective_finds_its_best(
    merits: dict[Objective, float], objective: Objective
) -> None:
    found = searched(HEADED, WATTS["headed"], 1, objective)
    assert found is not None
    best = merits[objective]
    print(objective, found.best.efficiency_gops_per_w / best - 1, found.bound_gops_per_w / best - 1)
    assert found.best.efficiency_gops_per_w >= 0.995 * best
    assert best * (1 - 1e-9) <= found.bound_gops_per_w <= 1.5 * best
