"""A search finds the true optimum where it is known, repeats itself, resumes, and keeps to budgets.

The networks are so small that all designs are judged exactly, see `enumerated`.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import clipped, narrowed, points
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Objective, Rules
from hwgen.crossbar.model.allocate import NO_POWER
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.evaluate import Cost, evaluate, evaluate_identical
from hwgen.crossbar.model.least import least_power_w
from hwgen.crossbar.model.tables import Tables, make_tables
from hwgen.crossbar.synthesis.anneal import REASONS
from hwgen.crossbar.synthesis.nodes import Node
from hwgen.crossbar.synthesis.result import Progress, SearchResult
from hwgen.crossbar.synthesis.search import BOUND, Search, Stage, synthesize
from hwgen.crossbar.synthesis.state import Budget, Frontier
from hwgen.jobs.executors import ProcessExecutor, SerialExecutor
from hwgen.jobs.store import Store
from hwgen.jobs.tasks import Executor, Results, Task
from tests.crossbar.synthesis.enumerated import FEW, HEADED, RESIDUAL, WIDE, best_of

ROUNDING = 1e-9
NETWORKS = {"wide": WIDE, "headed": HEADED, "residual": RESIDUAL}
SMALL = Budget(evaluations=12_000, nodes=60)
RULES: tuple[Rules, ...] = (PUBLISHED, STRICT)
CASES = [
    (name, rules, power_w) for name in NETWORKS for rules in RULES for power_w in (0.3, 0.45, 1.0)
]

optimum = cache(best_of)


def searched(
    network: CrossbarNetwork = WIDE,
    *,
    components: Components = FEW,
    rules: Rules = STRICT,
    power_w: float = 0.5,
    seed: int = 1,
    budget: Budget = SMALL,
    executor: Executor | None = None,
    store: Store | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    objective: Objective = "image",
    identical: bool = False,
    adopt: Stage | None = None,
) -> SearchResult | None:
    return synthesize(
        network,
        components,
        power_w=power_w,
        rules=rules,
        seed=seed,
        budget=budget,
        executor=executor or SerialExecutor(),
        store=store,
        on_progress=on_progress,
        objective=objective,
        identical=identical,
        adopt=adopt,
    )


def found(*args: Any, **more: Any) -> SearchResult:
    result = searched(*args, **more)
    assert result is not None
    return result


@pytest.mark.dear
@pytest.mark.promise(
    "a search counts why it refused designs; report and refusal of a budget say it"
)
@pytest.mark.parametrize("rules", RULES)
def test_why_designs_were_refused_is_counted(rules: Rules) -> None:
    """An evaluation has at most one reason; only a tight budget refuses for power."""
    tight, loose = (found(rules=rules, power_w=power_w) for power_w in (0.3, 3.0))
    for result in (tight, loose):
        assert set(result.refused) <= set(REASONS.values())
        assert 0 < sum(result.refused.values()) <= result.evaluations
    over = REASONS[NO_POWER]
    assert (over in tight.refused, over in loose.refused) == (rules == STRICT, False)


def text_of(result: SearchResult) -> str:
    return json.dumps(asdict(result), sort_keys=True)


def judged_again(network: CrossbarNetwork, result: SearchResult) -> tuple[Tables, Cost]:
    """The exact cost of the best design of a result."""
    best = result.best
    tables = make_tables(network, FEW, best.point, best.budget_w, result.rules)
    chosen = best.chosen.as_json()
    design = Design(*(np.array(chosen[field], np.int64) for field in Design._fields))
    return tables, evaluate(tables, design, True)


@cache
def answer(name: str, rules: Rules, power_w: float) -> SearchResult | None:
    """What both tests below look at.

    With 60 nodes the part of the space with the best residual network is not split far enough.
    """
    budget = replace(SMALL, nodes=240)
    return searched(NETWORKS[name], rules=rules, power_w=power_w, budget=budget)


@pytest.mark.dear("wide-published-1.0")
@pytest.mark.promise("on networks that can be enumerated the search finds the best design")
@pytest.mark.parametrize(("name", "rules", "power_w"), CASES)
def test_finds_the_optimum(name: str, rules: Rules, power_w: float) -> None:
    best = optimum(NETWORKS[name], power_w, rules)
    result = answer(name, rules, power_w)
    if best is None:
        assert result is None
        return
    assert result is not None
    known = float(best[2].efficiency)
    assert result.best.efficiency_gops_per_w == pytest.approx(known, rel=ROUNDING)
    assert result.bound_gops_per_w >= known * (1 - ROUNDING)
    own = [each for each in result.points if each.point == result.best.point]
    assert own[0].bound_gops_per_w >= own[0].best_gops_per_w > 0


@pytest.mark.dear
@pytest.mark.promise("of narrowed components the search finds the best design of what is tried")
def test_finds_the_optimum_of_clipped_points() -> None:
    given = [*points(FEW, STRICT), *clipped(points(FEW, STRICT), 2)]
    answers = []
    for tried in (given[:1], given):
        components = narrowed(FEW, tried)
        best, result = best_of(WIDE, 0.5, STRICT, components), found(components=components)
        assert best is not None
        answers.append(result.best.efficiency_gops_per_w)
        assert answers[-1] == pytest.approx(float(best[2].efficiency), rel=ROUNDING)
        assert [each.point for each in result.points] == tried
    assert answers[0] == found().best.efficiency_gops_per_w < answers[1]


@pytest.mark.dear(
    "headed-published-0.3",
    "residual-strict-1.0",
    "wide-published-0.45",
    "wide-strict-0.3",
)
@pytest.mark.parametrize(("name", "rules", "power_w"), CASES)
def test_what_is_found_is_what_it_says(name: str, rules: Rules, power_w: float) -> None:
    result = answer(name, rules, power_w)
    if result is None:
        return
    _, cost = judged_again(NETWORKS[name], result)
    best = result.best
    assert cost.converged
    assert (cost.efficiency, cost.energy_nj, cost.steps, cost.step_ns) == (
        best.efficiency_gops_per_w,
        best.energy_nj,
        best.steps,
        best.step_ns,
    )
    assert best.peak_w == cost.peak_w <= power_w
    assert all(each.peak_w <= power_w for each in result.candidates)
    for each in result.candidates:
        pairs = [(i, partner) for i, partner in enumerate(each.chosen.partner) if partner >= 0]
        assert all(each.chosen.partner[partner] == i != partner for i, partner in pairs)
    order = [each.efficiency_gops_per_w for each in result.candidates]
    assert order == sorted(order, reverse=True)


@pytest.mark.dear("published")
@pytest.mark.parametrize("rules", RULES)
def test_convergence(rules: Rules) -> None:
    """The best never falls, the bound never rises, and they do not cross."""
    told: list[Progress] = []
    result = found(RESIDUAL, rules=rules, on_progress=told.append)
    assert told == result.convergence
    best = [each.best_gops_per_w for each in told]
    bound = [each.bound_gops_per_w for each in told]
    assert best == sorted(best)
    assert bound == sorted(bound, reverse=True)
    assert all(low <= high for low, high in zip(best, bound, strict=True))
    spent = [each.evaluations for each in told]
    assert spent == sorted(spent)
    assert (best[-1], bound[-1]) == (result.best.efficiency_gops_per_w, result.bound_gops_per_w)


@pytest.mark.dear
@pytest.mark.promise(
    "any number of workers, and an interrupt with a second run, give the same files"
)
@pytest.mark.parametrize("rules", RULES)
def test_repeats_itself(rules: Rules) -> None:
    one = text_of(found(RESIDUAL, rules=rules))
    assert text_of(found(RESIDUAL, rules=rules)) == one
    with ProcessExecutor(2) as executor:
        assert text_of(found(RESIDUAL, rules=rules, executor=executor)) == one


@pytest.mark.dear("published")
@pytest.mark.promise(
    "a synthesis tells of a design that fits before it searches, and of what becomes better"
)
@pytest.mark.parametrize("rules", RULES)
def test_a_design_that_fits_is_told_of_first(rules: Rules) -> None:
    """Before anything is searched; it is the answer of a search that is stopped then."""
    told: list[Progress] = []
    result = found(rules=rules, on_progress=told.append)
    first = told[0]
    assert first.evaluations == 0
    assert 0 < first.best_gops_per_w <= result.best.efficiency_gops_per_w

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    stopped = found(rules=rules, on_progress=interrupt)
    assert stopped.stopped_early and stopped.evaluations == 0
    assert stopped.best.efficiency_gops_per_w == first.best_gops_per_w
    _, cost = judged_again(WIDE, stopped)
    assert cost.efficiency == first.best_gops_per_w and cost.peak_w <= stopped.power_w


@pytest.mark.dear
def test_another_seed() -> None:
    one, two = found(RESIDUAL, seed=1), found(RESIDUAL, seed=2)
    assert two.seed == 2
    assert two.best.efficiency_gops_per_w <= one.bound_gops_per_w * (1 + ROUNDING)
    assert one.best.efficiency_gops_per_w <= two.bound_gops_per_w * (1 + ROUNDING)


@pytest.mark.dear
def test_keeps_to_its_budget() -> None:
    on_rungs = found(budget=Budget(evaluations=1)).evaluations
    few, more = (found(budget=Budget(evaluations=1500, nodes=nodes)) for nodes in (5, 40))
    assert max(few.evaluations, more.evaluations) <= 1500 + on_rungs
    # Each node is split into two at most; those before the first design are free, and the same.
    assert few.nodes < more.nodes <= few.nodes + 2 * 40
    assert not few.stopped_early


def test_without_sharing() -> None:
    result = found(budget=replace(SMALL, sharing=False))
    assert all(partner == -1 for each in result.candidates for partner in each.chosen.partner)


@pytest.mark.parametrize("rules", RULES)
def test_a_budget_too_small(rules: Rules) -> None:
    assert searched(rules=rules, power_w=0.11) is None


@pytest.mark.promise(
    "no design needs less power than is refused at once; a budget for which one of the smallest"
    " designs is known is answered, however short the search"
)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_budget_that_a_known_design_needs_is_answered(name: str) -> None:
    """However short the search: the smallest designs are looked at before it."""
    least = least_power_w(NETWORKS[name], FEW, STRICT)
    assert least is not None
    for evaluations in (1, 300):
        budget = replace(SMALL, evaluations=evaluations)
        assert found(NETWORKS[name], power_w=least, budget=budget).best.peak_w <= least


class Counting(SerialExecutor):
    """Counts what it does, and is interrupted while it does one piece."""

    def __init__(self, interrupted_in: str = "", after: int = 0) -> None:
        self.done: list[str] = []
        self.interrupted_in, self.after = interrupted_in, after

    def run(self, function: str, tasks: list[Task]) -> Results:  # type: ignore[override]
        for number, result in super().run(function, tasks):
            if function == self.interrupted_in and self.done.count(function) >= self.after:
                raise KeyboardInterrupt
            self.done.append(function)
            yield number, result


@pytest.mark.dear
@pytest.mark.parametrize("rounds", [2, 3, 5])
def test_resumes(rounds: int, tmp_path: Path) -> None:
    whole = Counting()
    uninterrupted = found(RESIDUAL, executor=whole)
    store = Store(tmp_path, code="c")
    told: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if len(told) == rounds:
            raise KeyboardInterrupt

    first = Counting()
    part = found(RESIDUAL, executor=first, store=store, on_progress=interrupt)
    assert part.stopped_early
    assert part.convergence == uninterrupted.convergence[:rounds]
    assert part.bound_gops_per_w >= uninterrupted.best.efficiency_gops_per_w
    second = Counting()
    assert text_of(found(RESIDUAL, executor=second, store=store)) == text_of(uninterrupted)
    assert len(first.done) + len(second.done) == len(whole.done)
    assert second.done
    third = Counting()
    assert text_of(found(RESIDUAL, executor=third, store=store)) == text_of(uninterrupted)
    assert not third.done


@pytest.mark.dear
@pytest.mark.parametrize("after", [30, 26, 40])
def test_an_interrupt_within_a_round_loses_no_node(after: int, tmp_path: Path) -> None:
    """The bound of what was found until then still holds, and the rest comes later."""
    uninterrupted = found(RESIDUAL, rules=PUBLISHED)
    store = Store(tmp_path, code="c")
    executor = Counting(BOUND, after)
    part = searched(RESIDUAL, rules=PUBLISHED, executor=executor, store=store)
    assert part is None or part.stopped_early
    if part is not None:
        assert part.bound_gops_per_w >= uninterrupted.best.efficiency_gops_per_w
        told = len(part.convergence)
        # What the next round makes of the same nodes is no worse; without them it would be less.
        assert part.bound_gops_per_w >= uninterrupted.convergence[told].bound_gops_per_w
        assert part.bound_gops_per_w <= part.convergence[-1].bound_gops_per_w
    assert text_of(found(RESIDUAL, rules=PUBLISHED, store=store)) == text_of(uninterrupted)


def test_a_time_limit_says_so() -> None:
    result = searched(budget=replace(SMALL, time_limit_s=1e-9))
    assert result is None
    clock = iter([0.0] * 2 + [100.0] * 1000)

    def now() -> float:
        return next(clock)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hwgen.crossbar.synthesis.search.time.monotonic", now)
        stopped = searched(budget=replace(SMALL, time_limit_s=50))
    assert stopped is not None
    assert stopped.stopped_early
    assert stopped.evaluations < SMALL.evaluations
    assert stopped.bound_gops_per_w >= found().best.efficiency_gops_per_w


def test_begins_with_the_scans() -> None:
    search = Search(
        WIDE,
        FEW,
        power_w=0.5,
        rules=PUBLISHED,
        seed=1,
        budget=SMALL,
        executor=SerialExecutor(),
        store=None,
        on_progress=None,
    )
    search.begin()
    assert search.best is None
    assert 0 < search.least_price() < search.hopeless_price


def test_closed_nodes_count() -> None:
    """The bound of a point is that of its worst node, whether it is still open or not."""
    frontier = Frontier()
    node = Node(1.0, 2.0, 100.0, 100.0, 0, 0, 0.2, 0.3)
    for energy in (7.0, 5.0, 9.0):
        frontier.close(0, {"node": node}, energy)
    frontier.close(0, {"node": node._replace(ratio_low=0.15)}, 8.0)
    frontier.close(1, {"node": node}, 6.0)
    assert [frontier.least_price(0, ratio) for ratio in (0.15, 0.2, 0.25)] == [8.0, 5.0, 5.0]
    assert (frontier.least_price(1, 0.2), frontier.least_price()) == (6.0, 5.0)


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("method", ["bounded", "text"])
def test_identical_macros(method: str, rules: Rules) -> None:
    budget = Budget(method=method, evaluations=300, nodes=12)
    result = found(WIDE, rules=rules, budget=budget, identical=True)
    best = result.best
    tables = make_tables(WIDE, FEW, best.point, best.budget_w, rules)
    chosen = best.chosen.as_json()
    design = Design(*(np.array(chosen[name], np.int64) for name in Design._fields))
    cost = evaluate_identical(tables, design, True)
    assert cost.efficiency == best.efficiency_gops_per_w
    assert cost.peak_w == best.peak_w <= 0.5
    assert result.identical
    if rules == STRICT:
        assert cost.efficiency <= result.bound_gops_per_w < float("inf")
    else:
        assert result.bound_gops_per_w == float("inf")


@pytest.mark.dear
@pytest.mark.promise("a synthesis for streams finds designs that are better at streams")
def test_a_design_for_streams_is_better_at_them_and_worse_alone() -> None:
    image, stream = (
        found(HEADED, objective=objective, power_w=0.45) for objective in ("image", "stream")
    )
    assert stream.best.efficiency_gops_per_w <= stream.bound_gops_per_w < float("inf")
    assert stream.best.energy_nj >= image.best.energy_nj
    point, chosen = image.best.point, image.best.chosen.as_json()
    tables = make_tables(HEADED, FEW, point, image.best.budget_w, STRICT, "stream")
    design = Design(*(np.array(chosen[name], np.int64) for name in Design._fields))
    alone = evaluate(tables, design, True)
    assert stream.best.efficiency_gops_per_w >= alone.efficiency > image.best.efficiency_gops_per_w
