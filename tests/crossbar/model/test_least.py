"""The power that every design needs, and the smallest designs that are known to have it."""

import numpy as np
import pytest

from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.design import most_macros
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.least import (
    all_pairs,
    can_be,
    floors,
    is_within,
    least_power_w,
    lowest_w,
    nothing_below_w,
    pairs_within,
    smallest_designs,
)
from hwgen.crossbar.model.tables import POWER, make_tables
from tests.crossbar.model.designs import COMPONENTS, compiled_of
from tests.crossbar.model.random_designs import random_case
from tests.crossbar.synthesis.enumerated import FEW, HEADED, RESIDUAL, WIDE, every_design

NETWORKS = pytest.mark.parametrize("network", [WIDE, HEADED, RESIDUAL])
JUST_BELOW = 1 - 1e-9


@pytest.mark.promise(
    "no design needs less power than is refused at once; a budget for which one of the smallest"
    " designs is known is answered, however short the search"
)
@NETWORKS
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_no_design_fits_below_what_every_one_needs(network: CrossbarNetwork, rules: Rules) -> None:
    for point in points(FEW, rules):
        tables = make_tables(network, FEW, point, 1.0, rules)
        tables.scalars[POWER] = power = JUST_BELOW * lowest_w(tables)
        for design in every_design(tables):
            assert not is_within(evaluate(tables, design, True), power)


@pytest.mark.parametrize("seed", range(60))
def test_no_random_design_needs_less(seed: int) -> None:
    """Networks of all kinds of layers, with more copies, macros and pairs."""
    tables, design = compiled_of(random_case(seed, STRICT))
    lowest = lowest_w(tables)
    for power_w in (100.0, 2 * lowest, 1.2 * lowest, 1.05 * lowest):
        tables.scalars[POWER] = power_w
        cost = evaluate(tables, design, True)
        assert cost.peak_w >= JUST_BELOW * lowest or not is_within(cost, power_w)


@NETWORKS
def test_the_smallest_designs_need_no_more(network: CrossbarNetwork) -> None:
    """Of these networks that of the least power is known: it has pairs."""
    least, lowest = (
        least_power_w(network, COMPONENTS, STRICT),
        nothing_below_w(network, COMPONENTS, STRICT),
    )
    assert least is not None and lowest <= least <= 1.01 * lowest
    for _, tables in floors(network, COMPONENTS, STRICT):
        tables.scalars[POWER] = least
        fitting = [each for each in smallest_designs(tables) if can_be(tables, each)]
        assert all((each.partner >= 0).any() for each in fitting)


def test_the_smallest_designs_are_designs() -> None:
    for seed in range(20):
        case = random_case(seed, STRICT)
        tables = make_tables(case.network, case.components, case.point, 1.0, STRICT)
        designs = list(smallest_designs(tables))
        assert len({str(each.partner) for each in designs}) == len(designs)
        for design in designs:
            for i in np.flatnonzero(tables.crossbars):
                partner = design.partner[i]
                assert design.macros[i] == (not 0 <= partner < i) <= most_macros(tables, 1, int(i))
                assert partner < 0 or (
                    design.partner[partner] == i and tables.crossbars[partner] > 0
                )


def test_as_many_pairs_as_there_can_be() -> None:
    """By all ways to pair four and five of some numbers."""
    generator = np.random.default_rng(1)
    for count in (2, 4, 5, 6):
        ways = all_pairs(list(range(count)))
        assert len(ways) == {2: 1, 4: 3, 5: 15, 6: 15}[count]
        for _ in range(20):
            held = generator.integers(1, 10, count).astype(float)
            for room in range(2, 20):
                found = pairs_within(held, room)
                assert len({each for pair in found for each in pair}) == 2 * len(found)
                assert all(held[list(pair)].sum() <= room for pair in found)
                most = max(sum(held[list(pair)].sum() <= room for pair in way) for way in ways)
                assert len(found) == most
