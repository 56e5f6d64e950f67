"""The closed form: a lower bound of every event, and exact where nobody is in another's way."""

import numpy as np
import pytest

from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.conflicts import conflicts
from hwgen.crossbar.model.design import lay_out
from hwgen.crossbar.model.exact import exact_times
from hwgen.crossbar.model.pipeline import make_pipeline
from hwgen.crossbar.model.timing import Times, closed_form
from tests.crossbar.model.designs import compiled_of
from tests.crossbar.model.random_designs import random_case

EVENTS = ("load", "adc", "store", "done", "end")


def both(seed: int, rules: Rules, sharing: float) -> tuple[Times, Times, bool]:
    """Return times without and with conflicts, and whether there can be any."""
    case = random_case(seed, rules, sharing=sharing)
    tables, design = compiled_of(case)
    layout = lay_out(tables, design)
    pipeline = make_pipeline(tables, layout, design.clocks, 0, case.components.step_floor_ns)
    fast = closed_form(tables, layout, pipeline)
    exact = exact_times(tables, layout, pipeline, design.partner)
    free = not conflicts(tables, layout).any() and (design.partner < 0).all()
    return fast, exact, bool(free)


def check(seed: int, rules: Rules, sharing: float) -> bool:
    """Compare all events; return whether conflicts were impossible."""
    fast, exact, free = both(seed, rules, sharing)
    for name in EVENTS:
        early, late = getattr(fast, name), getattr(exact, name)
        assert np.all(early <= late), (seed, rules, name)
        assert not free or np.array_equal(early, late), (seed, rules, name)
    assert fast.interval == exact.interval
    return free


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_bound(rules: Rules) -> None:
    free = [check(seed, rules, seed % 2 / 2) for seed in range(120)]
    assert 5 < sum(free) < 100


@pytest.mark.long
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_bound_of_many(rules: Rules) -> None:
    for seed in range(60, 2000):
        check(seed, rules, seed % 3 / 2)
