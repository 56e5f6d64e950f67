"""Small networks reach the best of all their designs, whatever the seed."""

import pytest

from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import STRICT
from tests.crossbar.model.layers import conv, layer, pool
from tests.crossbar.synthesis.enumerated import HEADED, RESIDUAL, WIDE, best_of, network, searched

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
