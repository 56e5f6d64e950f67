"""What annealing sees of a design: near the exact cost, higher where it does not fit."""

import numpy as np
import pytest

from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.allocate import FEASIBLE
from hwgen.crossbar.model.buffers import kilobytes_above
from hwgen.crossbar.model.conflicts import conflicts
from hwgen.crossbar.model.exact import exact_times
from hwgen.crossbar.model.tables import KILOBYTES, POWER
from hwgen.crossbar.synthesis.anneal import ABOVE_LIMIT, OVER_BUDGET, OVER_MEMORY, fits, judge
from tests.crossbar.synthesis.judged import small

RULES = [PUBLISHED, STRICT]
SEEDS = range(60)


@pytest.mark.parametrize("rules", RULES)
def test_it_is_near_the_exact_cost(rules: Rules) -> None:
    """Only links of the mesh are not looked at."""
    errors = []
    for given in small(rules, SEEDS):
        cost, height = judge(given.tables, given.design, int(given.cost.memory), np.inf)
        assert cost.failure == FEASIBLE and height >= cost.energy_nj
        assert cost.peak_w == given.cost.peak_w and cost.step_ns == given.cost.step_ns
        assert cost.interval == given.cost.interval
        errors.append(cost.energy_nj / given.cost.energy_nj - 1)
    assert np.mean(np.abs(errors)) < 0.02
    assert np.mean(np.array(errors) == 0) > 0.3


def waiting(rules: Rules) -> list[tuple[float, float, float]]:
    """Steps of designs whose pairs wait: of the closed form, as judged, and exactly."""
    found = []
    for given in small(rules, range(400)):
        tables, layout, pipeline = given.tables, given.layout, given.pipeline
        exact = exact_times(tables, layout, pipeline, given.design.partner).end
        alone = np.full(len(given.design.partner), -1)
        links = exact_times(tables, layout, pipeline, alone).end
        if exact > links:
            cost, _ = judge(tables, given.design, int(given.cost.memory), np.inf)
            found.append((given.times.end, cost.steps, exact))
    return found


def test_pairs_wait_for_each_other() -> None:
    found = np.array(waiting(STRICT))
    assert len(found) > 5
    assert (found[:, 1] >= found[:, 0]).all() and (found[:, 1] > found[:, 0]).any()
    assert np.abs(found[:, 1] / found[:, 2] - 1).mean() < 0.02


@pytest.mark.parametrize("rules", RULES)
def test_what_is_above_a_limit_is_not_looked_at(rules: Rules) -> None:
    """Below the limit it is looked at whole; above, the height is above it too."""
    for given in small(rules, SEEDS):
        memory = int(given.cost.memory)
        cost, height = judge(given.tables, given.design, memory, np.inf)
        again, same = judge(given.tables, given.design, memory, height)
        assert same == height and again == cost
        for share in (0.5, 0.95):
            least = judge(given.tables, given.design, memory, share * height)
            assert share * height < least[1] <= height
        assert judge(given.tables, given.design, memory, 0.0)[0].failure == ABOVE_LIMIT


@pytest.mark.parametrize("rules", RULES)
def test_what_does_not_fit_is_higher(rules: Rules) -> None:
    """By how much scratchpads are too small."""
    checked = 0
    for given in small(rules, SEEDS):
        tables, memory = given.tables, int(given.cost.memory)
        cost, _ = judge(tables, given.design, memory, np.inf)
        over = max(0.0, cost.peak_w / tables.scalars[POWER] - 1)
        times = exact_times(tables, given.layout, given.pipeline, given.design.partner)
        need = kilobytes_above(tables, given.layout, times, 0.0)
        if need > 0 and not conflicts(tables, given.layout).any():
            capacities = tables.memories.copy()
            capacities[memory, KILOBYTES] = 0.7 * need
            short = tables._replace(memories=capacities)
            found, higher = judge(short, given.design, memory, np.inf)
            factor = 1 + OVER_BUDGET * over + OVER_MEMORY * (1 / 0.7 - 1)
            assert not found.converged
            assert higher == pytest.approx(found.energy_nj * factor, rel=1e-9)
            checked += 1
    assert checked > 5


def test_a_design_over_its_budget() -> None:
    """Published rules round up and may exceed the budget."""
    for given in small(PUBLISHED, SEEDS):
        tables, memory = given.tables, int(given.cost.memory)
        scalars = tables.scalars.copy()
        cost, _ = judge(tables, given.design, memory, np.inf)
        scalars[POWER] = 0.5 * cost.peak_w
        # The same chip, judged against half of what it needs, if it can still be laid out.
        tight, higher = judge(tables._replace(scalars=scalars), given.design, memory, np.inf)
        if tight.failure == FEASIBLE and tight.peak_w > scalars[POWER]:
            over = tight.peak_w / scalars[POWER] - 1
            assert higher >= tight.energy_nj * (1 + OVER_BUDGET * over) * (1 - 1e-12)
            assert not fits(tables._replace(scalars=scalars), tight)
            return
    pytest.fail("no design was over its budget")
