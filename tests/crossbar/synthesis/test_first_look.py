"""The first look in plain Python says what the compiled functions say."""

from dataclasses import replace

import pytest

from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.least import floors, least_power_w, nothing_below_w, smallest
from hwgen.crossbar.model.tables import POWER, make_tables
from hwgen.crossbar.synthesis.compiling import small_network
from hwgen.crossbar.synthesis.first_look import (
    EXACT_PIXELS,
    MOST_PIXELS,
    first_look,
    pixels_of,
)
from tests.synthesis import COMPONENTS

POWER_W = 2.0
SMALL = small_network()


def best_of(network: CrossbarNetwork, power_w: float) -> float:
    """Return the efficiency of the best smallest design, compiled; 0: none fits."""
    found = [0.0]
    for point in points(COMPONENTS, STRICT):
        tables = make_tables(network, COMPONENTS, point, power_w, STRICT)
        cost = evaluate(tables, smallest(tables), True)
        if cost.failure == 0 and cost.converged and cost.peak_w <= power_w:
            found.append(cost.efficiency)
    return max(found)


@pytest.mark.parametrize("power_w", [POWER_W, 0.001])
def test_plain_python_finds_what_compiled_functions_find(power_w: float) -> None:
    look = first_look(SMALL, COMPONENTS, STRICT, power_w)
    assert look.nothing_below_w == nothing_below_w(SMALL, COMPONENTS, STRICT)
    assert look.least_w == least_power_w(SMALL, COMPONENTS, STRICT)
    assert look.gops_per_w == pytest.approx(best_of(SMALL, power_w), rel=1e-12)
    assert (look.gops_per_w > 0) == (power_w == POWER_W)


@pytest.mark.dear
def test_of_a_large_network_the_cheapest_designs_are_looked_at_without_conflicts() -> None:
    wide = replace(SMALL.layers[0], in_side=110, out_side=110)
    large = replace(SMALL, input_side=110, layers=(wide,))
    assert pixels_of(large) > EXACT_PIXELS
    look = first_look(large, COMPONENTS, STRICT, POWER_W)
    assert look.least_w is None
    assert look.nothing_below_w == nothing_below_w(large, COMPONENTS, STRICT)
    every = sorted(floors(large, COMPONENTS, STRICT), key=lambda pair: pair[0])
    efficiencies = []
    for _, tables in every[: MOST_PIXELS // pixels_of(large)]:
        tables.scalars[POWER] = POWER_W
        efficiencies.append(evaluate(tables, smallest(tables), False).efficiency)
    assert look.gops_per_w == pytest.approx(max(efficiencies), rel=1e-12)
