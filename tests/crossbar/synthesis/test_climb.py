"""The search around a design: never down, always within the budget, the same for a seed."""

from collections import Counter

from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.tables import POWER
from hwgen.crossbar.synthesis.anneal import climb, fits
from tests.crossbar.synthesis.judged import Judged, small

EVALUATIONS = 60


def climbed(given: Judged, seed: int) -> tuple[float, float]:
    """The efficiency that is reached, and the power that it takes."""
    args = given.design, int(given.cost.memory), EVALUATIONS, seed, True
    design, exact = climb(given.tables, *args, Counter())
    cost = evaluate(given.tables, design, True)
    assert fits(given.tables, cost) and 0 < exact <= EVALUATIONS
    return cost.efficiency, cost.peak_w


def test_a_design_becomes_no_worse_and_most_become_better() -> None:
    better = 0
    for given in small(STRICT, range(12)):
        before = evaluate(given.tables, given.design, True).efficiency
        after, _ = climbed(given, 7)
        assert after >= before
        assert climbed(given, 7)[0] == after
        better += after > before
    assert better > 8


def test_what_was_reached_is_not_lost() -> None:
    """A few more designs around a good one leave it, or a better one."""
    for given in small(STRICT, range(4)):
        memory = int(given.cost.memory)
        design, _ = climb(given.tables, given.design, memory, EVALUATIONS, 7, True, Counter())
        reached = evaluate(given.tables, design, True)
        for seed in range(8):
            after, _ = climb(given.tables, design, int(reached.memory), 8, seed, True, Counter())
            assert evaluate(given.tables, after, True).efficiency >= reached.efficiency


def test_a_tight_budget_holds() -> None:
    """What is better and needs more power than there is, is not taken."""
    taken = 0
    for given in small(STRICT, range(12)):
        _, power = climbed(given, 7)
        cost = evaluate(given.tables, given.design, True)
        if power <= cost.peak_w:
            continue
        scalars = given.tables.scalars.copy()
        scalars[POWER] = (power + cost.peak_w) / 2
        tight = given._replace(tables=given.tables._replace(scalars=scalars))
        assert climbed(tight, 7)[1] <= scalars[POWER]
        taken += 1
    assert taken > 0
