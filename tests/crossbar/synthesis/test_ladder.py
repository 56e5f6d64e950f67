"""More power, or more evaluations, serve no worse: longer steps, and searches that go on."""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hwgen.crossbar.facts.components import Components, load_components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.least import nothing_below_w
from hwgen.crossbar.model.record import design_of
from hwgen.crossbar.model.tables import POWER, make_tables
from hwgen.crossbar.pages.networks import load_problem
from hwgen.crossbar.synthesis.anneal import fits
from hwgen.crossbar.synthesis.result import Candidate, SearchResult, finish
from hwgen.crossbar.synthesis.rungs import CLOSE_RUNGS, PIECE, WIDE_RUNGS
from hwgen.crossbar.synthesis.search import SHORT, synthesize
from hwgen.crossbar.synthesis.state import Budget
from hwgen.crossbar.synthesis.work import LADDER, RUNGS, Json, descend, from_design
from hwgen.jobs.executors import SerialExecutor
from hwgen.jobs.store import Store
from tests.crossbar.model.designs import compiled_of
from tests.crossbar.model.layers import conv, fc, layer
from tests.crossbar.model.random_designs import random_case
from tests.crossbar.synthesis.enumerated import FEW, RESIDUAL, WIDE
from tests.crossbar.synthesis.enumerated import network as network_of
from tests.crossbar.synthesis.judged import judged

COMPONENTS = load_components(Path("configs/crossbar/components.yaml"))
DIGITS = "configs/networks/digits_small_cnn.npz"
DIGITS_W, ALEXNET_W = (0.2052, 0.25, 0.3, 0.6, 6.0), (40.0, 49.0)
SMALL = Budget(evaluations=4_000, nodes=60)
SHORT_BUDGET = Budget(evaluations=200)
MOST_ON_RUNGS = 5 * PIECE * (1 + CLOSE_RUNGS + WIDE_RUNGS)
"""A rung has two plain starts, two of its own, and a climb."""

SHORTCUT = network_of(
    conv("one", (), (3, 3), (5, 5), window=(3, 1, 1)),
    conv("two", (0,), (3, 4), (5, 5), window=(3, 1, 1)),
    conv("three", (1,), (4, 3), (5, 5), window=(3, 1, 1)),
    layer("sum", "eltwise", (0, 2), (3, 3), (5, 5)),
    conv("four", (3,), (3, 20), (5, 5), window=(3, 1, 1)),
    fc("head", (4,), (500, 6)),
    side=5,
)
"""A small network with a shortcut."""


@pytest.mark.promise(
    "more power is no worse where the search finds the best design; a step may be made for less"
    " than the budget"
)
def test_a_design_is_made_for_the_best_budget_of_the_ladder() -> None:
    """Random designs: what comes back is the best of all rungs, or nothing is better."""
    better = 0
    for seed in range(50, 80):
        case = random_case(seed, STRICT)
        tables, design = compiled_of(case)
        given = judged(f"strict {seed}", tables, design)
        if given is None:
            continue
        peak_w, own = given.cost.peak_w, given.cost.efficiency
        task: Json = {
            "problem": json.dumps([asdict(case.network), asdict(case.components)]),
            "point": asdict(case.point),
            "power_w": case.power_w,
            "rules": STRICT,
            "objective": "image",
            "identical": False,
            "design": from_design(design),
            "peak_w": peak_w,
            "efficiency_gops_per_w": own,
        }
        answer = descend(task)
        best, budget_w = own, 0.0
        for rung in range(1, RUNGS + 1):
            tables.scalars[POWER] = peak_w * LADDER**rung
            cost = evaluate(tables, design, True)
            if fits(tables, cost) and cost.efficiency > best:
                best, budget_w = cost.efficiency, float(tables.scalars[POWER])
        assert (answer["design"] is None) == (best == own), seed
        if best > own:
            better += 1
            assert answer["design"] == task["design"]
            assert answer["cost"]["efficiency_gops_per_w"] == best
            assert answer["cost"]["budget_w"] == budget_w >= answer["cost"]["peak_w"]
    assert better > 3


def searched(
    network: CrossbarNetwork,
    components: Components,
    power_w: float,
    budget: Budget,
    *,
    rules: Rules = STRICT,
    seed: int = 1,
    store: Store | None = None,
) -> SearchResult:
    found = synthesize(
        network,
        components,
        power_w=power_w,
        rules=rules,
        seed=seed,
        budget=budget,
        executor=SerialExecutor(),
        store=store,
    )
    assert found is not None
    return found


@cache
def answered(name: str, power_w: float, budget: Budget) -> SearchResult:
    return searched(*load_problem(name, COMPONENTS), power_w, budget)


def values_of(name: str, watts: tuple[float, ...], budget: Budget) -> list[float]:
    return [answered(name, power_w, budget).best.efficiency_gops_per_w for power_w in watts]


@pytest.mark.dear
@pytest.mark.parametrize("network", [WIDE, RESIDUAL], ids=["wide", "residual"])
def test_more_power_is_not_worse_where_the_optimum_is_found(network: CrossbarNetwork) -> None:
    found = [searched(network, FEW, power_w, SMALL) for power_w in (0.25, 0.3, 0.45, 1.0, 3.0)]
    values = [each.best.efficiency_gops_per_w for each in found]
    assert values == sorted(values) and values[-1] > 0


@pytest.mark.dear
@pytest.mark.promise(
    "a short search of a small network by strict rules never answers worse with more power,"
    " whatever the two budgets; a longer one keeps what it finds"
)
def test_more_power_is_never_worse_in_a_short_search(tmp_path: Path) -> None:
    """Any budgets, also between rungs: each has all designs of the smaller ones that fit there.

    Pieces of rungs are the same for all budgets, so a store has them; without one nothing changes.
    """
    store, before = Store(tmp_path, code="c"), list[Candidate]()
    least = nothing_below_w(SHORTCUT, COMPONENTS, STRICT)
    drawn = np.random.default_rng(1).uniform(least, 3 * least, 4).tolist()
    for power_w in sorted([0.6, 1.2, 3.0, 100.0, 1.1 * least, *drawn]):
        result = searched(SHORTCUT, COMPONENTS, power_w, SHORT_BUDGET, store=store)
        assert all(each in result.candidates for each in before)
        assert all(each.peak_w <= power_w for each in result.candidates)
        before = result.candidates
    assert searched(SHORTCUT, COMPONENTS, 100.0, SHORT_BUDGET) == result
    longest = Budget(evaluations=SHORT)
    assert searched(SHORTCUT, COMPONENTS, 100.0, longest, store=store).best == result.best


@pytest.mark.dear
def test_a_longer_search_keeps_what_a_short_one_finds_with_less_power(tmp_path: Path) -> None:
    store, longer = Store(tmp_path, code="c"), Budget(evaluations=2 * SHORT)
    found = searched(SHORTCUT, COMPONENTS, 0.6, longer, store=store)
    for power_w in (0.25, 0.6):
        shorter = searched(SHORTCUT, COMPONENTS, power_w, SHORT_BUDGET, store=store)
        assert all(each in found.candidates for each in shorter.candidates)
    own = found.evaluations - shorter.evaluations
    assert 0 < own <= 2 * SHORT and shorter.evaluations <= MOST_ON_RUNGS


@pytest.mark.dear
def test_more_power_is_hardly_worse_in_a_short_search() -> None:
    """A hundredth of the default effort answers up to a few percent below the best."""
    best = 0.0
    for value in values_of(DIGITS, DIGITS_W, SMALL):
        assert value > 0.95 * best
        best = max(best, value)


@pytest.mark.long
@pytest.mark.parametrize(("name", "watts"), [(DIGITS, DIGITS_W), ("alexnet", ALEXNET_W)])
def test_more_power_is_not_worse(name: str, watts: tuple[float, ...]) -> None:
    """At the default effort."""
    values = values_of(name, watts, Budget())
    assert values == sorted(values)


@pytest.mark.dear
@pytest.mark.promise(
    "a search with more evaluations finds all that one with fewer finds, and proves no less"
)
@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 3))]
)
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_more_evaluations_are_never_worse(rules: Rules, seed: int, tmp_path: Path) -> None:
    """A larger budget confirms all that a smaller one confirmed, whichever the number.

    A store has the pieces that several budgets ask for; without one nothing changes.
    """
    problem, store = load_problem(DIGITS, COMPONENTS), Store(tmp_path, code="c")
    longer = None
    for evaluations in (9_000, 4_001, 999, 100, 1):
        budget = Budget(evaluations=evaluations)
        shorter = searched(*problem, 0.6, budget, rules=rules, seed=seed, store=store)
        assert shorter.evaluations <= evaluations + (MOST_ON_RUNGS if rules == STRICT else 0)
        if longer is not None:
            assert longer.evaluations >= shorter.evaluations
            assert longer.best.efficiency_gops_per_w >= shorter.best.efficiency_gops_per_w
            assert longer.bound_gops_per_w <= shorter.bound_gops_per_w
            found = {str(each) for each in longer.candidates}
            kept = [str(each) for each in shorter.candidates if str(each) not in found]
            # Where nothing else is known the simple design of the beginning is the answer.
            assert kept == ([] if shorter.evaluations else [str(shorter.best)])
        longer = shorter


@pytest.mark.dear
def test_a_chip_knows_the_budget_that_its_step_was_made_for() -> None:
    """Through the confirmation, the file of the architecture and the schedule."""
    network, components = load_problem(DIGITS, COMPONENTS)
    result = answered(DIGITS, 0.3, SMALL)
    chosen = design_of(**result.best.chosen.as_json())
    budget_w = 0.97 * result.best.peak_w
    tables = make_tables(network, components, result.best.point, budget_w, STRICT)
    cost = evaluate(tables, chosen, True)
    assert cost.peak_w <= budget_w and cost.step_ns > result.best.step_ns
    own = {
        "budget_w": budget_w,
        "efficiency_gops_per_w": float(cost.efficiency),
        "energy_nj": float(cost.energy_nj),
        "step_ns": float(cost.step_ns),
        "steps": int(cost.steps),
    }
    best = type(result.best)(**{**vars(result.best), **own})
    made = finish(network, components, type(result)(**{**vars(result), "best": best}), "small")
    assert (made.arch.power_budget_w, made.arch.step_ns) == (budget_w, cost.step_ns)
    assert made.schedule.facts.step_ns == cost.step_ns
    np.testing.assert_allclose(made.breakdown.peak_w, cost.peak_w, rtol=1e-12)
