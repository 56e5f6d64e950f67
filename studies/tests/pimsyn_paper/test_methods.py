"""The published search as a method of a synthesis."""

import pytest
from hwgen_studies.pimsyn_paper.methods import METHODS

from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.synthesis.result import Progress
from hwgen.crossbar.synthesis.state import Budget
from tests.crossbar.synthesis.enumerated import RESIDUAL
from tests.crossbar.synthesis.test_search import ROUNDING, RULES, found


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("method", ["text", "code"])
def test_the_published_search_beside_the_same_bound(method: str, rules: Rules) -> None:
    """Its design is no better than ours, the bound holds for both, and an interrupt keeps it."""
    budget = Budget(method=method, evaluations=1_000, nodes=20)
    told: list[Progress] = []
    given = {"rules": rules, "power_w": 1.0, "budget": budget, "adopt": METHODS[method]}
    result = found(RESIDUAL, **given, on_progress=told.append)
    ours = found(RESIDUAL, rules=rules, power_w=1.0)
    assert result.method == method
    assert 0 < result.exact_evaluations < result.evaluations <= 1_000
    assert result.best.efficiency_gops_per_w <= ours.best.efficiency_gops_per_w
    assert result.bound_gops_per_w >= ours.best.efficiency_gops_per_w * (1 - ROUNDING)
    assert told == result.convergence
    assert len(told) > len({each.evaluations for each in told}) > 1

    def interrupt(progress: Progress) -> None:
        if progress.best_gops_per_w > 0:
            raise KeyboardInterrupt

    stopped = found(RESIDUAL, **given, on_progress=interrupt)
    assert stopped.stopped_early
    assert stopped.evaluations < result.evaluations
    assert stopped.best.efficiency_gops_per_w <= result.best.efficiency_gops_per_w
    assert stopped.bound_gops_per_w >= ours.best.efficiency_gops_per_w * (1 - ROUNDING)
