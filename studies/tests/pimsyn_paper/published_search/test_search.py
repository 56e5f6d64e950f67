"""The whole published search: exact accounts, the same seed the same answer, known results."""

import pickle
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
from hwgen_studies.pimsyn_paper.published_search.annealing import Variant, generator
from hwgen_studies.pimsyn_paper.published_search.genes import (
    design_of,
    first_gene,
    make_space,
    partners,
    split,
)
from hwgen_studies.pimsyn_paper.published_search.search import (
    Found,
    annealing_tasks,
    gather,
    make_plan,
    partition_tasks,
    search,
)
from hwgen_studies.pimsyn_paper.published_search.tasks import (
    PARTITION,
    Duplication,
    PartitionTask,
    PublishedSearch,
    Winner,
    even,
    run_annealing,
    run_partition,
)

from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.tables import CONV
from studies.tests.pimsyn_paper.published_search.cases import (
    ALEXNET,
    ALEXNET_COPIES,
    DENSE,
    POINT,
    SMALL,
    problem,
)

Task = TypeVar("Task")
Result = TypeVar("Result")

VARIANTS: tuple[Variant, ...] = ("text", "code")
WATTS = 1.0


def alexnet_task(variant: Variant, evaluations: int, *, seed: int = 1) -> PartitionTask:
    """Return the search of macros for the reference's weight duplication."""
    return PartitionTask(
        problem=problem(ALEXNET, power_w=49.0),
        method=PublishedSearch(variant=variant, audited=False),
        point=POINT,
        place=0,
        candidate=0,
        copies=ALEXNET_COPIES,
        first_copies=ALEXNET_COPIES,
        evaluations=evaluations,
        seed=seed,
    )


def small(
    method: PublishedSearch, evaluations: int, *, seed: int = 1, rules: Rules = PUBLISHED
) -> Found:
    return search(
        problem(SMALL, power_w=WATTS, rules=rules), method, evaluations=evaluations, seed=seed
    )


def facts(found: Found) -> tuple[object, ...]:
    """Return a result in a form that can be compared."""
    best = found.best
    assert best is not None
    arrays = tuple(tuple(each.tolist()) for each in best.design)
    return best.point, best.ratio, best.gene, arrays, best.cost, found.curve, found.evaluations


def test_even_shares_add_up() -> None:
    assert even(10, 4) == [3, 3, 2, 2]
    assert even(2, 4) == [1, 1, 0, 0]


@pytest.mark.parametrize("evaluations", [0, 1, 24, 26, 997, 3000])
@pytest.mark.parametrize("variant", VARIANTS)
def test_as_many_designs_are_judged_as_asked(variant: Variant, evaluations: int) -> None:
    found = small(PublishedSearch(variant=variant), evaluations)
    assert found.evaluations == evaluations
    assert all(step <= evaluations for step, _ in found.curve)


@pytest.mark.parametrize(
    ("variant", "duplication", "evaluations"),
    [
        ("code", "annealing", 400),
        ("code", "none", 40),
        ("text", "annealing", 30 * 40 * 201),
        ("text", "proportional", 40 * 201),
    ],
)
def test_published_settings_of_a_point(
    variant: Variant, duplication: Duplication, evaluations: int
) -> None:
    method = PublishedSearch(variant=variant, duplication=duplication)
    plan = make_plan(problem(SMALL, power_w=WATTS), method, evaluations=None, seed=1)
    assert plan.shares
    assert {share.evaluations for share in plan.shares} == {evaluations}


@pytest.mark.parametrize("duplication", ["proportional", "none"])
def test_an_ablation_searches_no_longer_for_its_macros(duplication: Duplication) -> None:
    """A weight duplication has the same evaluations, whether it is one of many or alone."""
    spent = []
    for method in (
        PublishedSearch(variant="text", equal=True),
        PublishedSearch(variant="text", equal=True, duplication=duplication),
    ):
        plan = make_plan(problem(SMALL, power_w=WATTS), method, evaluations=50_001, seed=1)
        first = annealing_tasks(plan)
        tasks = partition_tasks(plan, [(task, run_annealing(task)) for task in first])
        spent.append({(task.place, task.candidate): task.evaluations for task in tasks})
    whole, alone = spent
    assert len(whole) > len(alone) > 0
    assert {place: whole[place] for place in alone} == alone
    assert max(whole.values()) - min(whole.values()) <= 1


def test_evaluations_are_spread_evenly_over_points() -> None:
    plan = make_plan(
        problem(ALEXNET, power_w=49.0), PublishedSearch(variant="code"), evaluations=1000, seed=1
    )
    spent = [share.evaluations for share in plan.shares]
    assert sum(spent) == 1000
    assert max(spent) - min(spent) <= 1
    assert 0 < len(spent) < plan.points
    assert [share.place for share in plan.shares] == sorted(share.place for share in plan.shares)


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_best_keeps_to_the_budget_and_can_be_judged_again(
    variant: Variant, rules: Rules
) -> None:
    found = small(PublishedSearch(variant=variant), 1200, rules=rules)
    best = found.best
    assert best is not None
    assert found.explanation == ""
    assert best.cost.peak_w <= WATTS
    assert best.cost.converged
    assert (best.point.rram_ratio is None) == (rules == STRICT)
    tables = problem(SMALL, power_w=WATTS, rules=rules).tables(
        replace(best.point, rram_ratio=best.ratio)
    )
    assert evaluate(tables, best.design, True) == best.cost
    assert found.curve[-1][1] == best.cost.efficiency
    values = [value for _, value in found.curve]
    assert values == sorted(set(values))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_seed_decides(variant: Variant) -> None:
    method = PublishedSearch(variant=variant)
    assert facts(small(method, 600, seed=5)) == facts(small(method, 600, seed=5))
    assert facts(small(method, 600, seed=5)) != facts(small(method, 600, seed=6))


def test_the_order_of_work_does_not_matter() -> None:
    method = PublishedSearch(variant="text")
    plan = make_plan(problem(SMALL, power_w=WATTS), method, evaluations=700, seed=2)
    first = annealing_tasks(plan)
    backwards = [run_annealing(task) for task in reversed(first)][::-1]
    second = partition_tasks(plan, zip(first, backwards, strict=True))
    outcomes = [run_partition(task) for task in reversed(second)][::-1]
    assert facts(gather(plan, outcomes)) == facts(small(method, 700, seed=2))


@pytest.mark.long
def test_any_number_of_workers_finds_the_same() -> None:
    method = PublishedSearch(variant="text")

    def spread(function: Callable[[Task], Result], tasks: Iterable[Task], /) -> Iterable[Result]:
        with ProcessPoolExecutor(2) as pool:
            return list(pool.map(function, tasks))

    found = search(problem(SMALL, power_w=WATTS), method, evaluations=700, seed=2, mapper=spread)
    assert facts(found) == facts(small(method, 700, seed=2))


def test_tasks_travel() -> None:
    task = alexnet_task("code", 3)
    copy = pickle.loads(pickle.dumps(task))
    assert copy == task
    outcome = run_partition(copy)
    assert pickle.loads(pickle.dumps(outcome)).evaluations == outcome.evaluations == 3


def test_the_code_finds_the_best_of_its_first_genes() -> None:
    task = alexnet_task("code", 40, seed=7)
    tables = task.problem.tables(POINT)
    space = make_space(tables, np.array(ALEXNET_COPIES), "specialized")
    rng = generator(7, PARTITION, 0, 0)
    genes = [first_gene(space, rng) for _ in range(40)]
    values = [evaluate(tables, design_of(tables, space, gene), True).efficiency for gene in genes]
    claimed = run_partition(task).claimed
    assert claimed is not None
    assert claimed.cost.efficiency == max(values)
    assert claimed.gene == genes[int(np.argmax(values))]


def test_the_code_draws_from_the_numbers_of_the_first_candidate() -> None:
    task = replace(alexnet_task("code", 200), copies=(64, 16, 4, 4, 4))
    tables = task.problem.tables(POINT)
    own = make_space(tables, np.array(task.copies), "specialized")
    others = make_space(tables, np.array(ALEXNET_COPIES), "specialized")
    winner = run_partition(task).claimed
    assert winner is not None
    numbers = split(winner.gene)[1]
    assert all(each in choices for each, choices in zip(numbers, others.choices, strict=True))
    assert not all(each in choices for each, choices in zip(numbers, own.choices, strict=True))
    assert winner.design.copies[0] == 64


def test_what_is_claimed_may_break_the_budget_by_rounding() -> None:
    outcome = run_partition(alexnet_task("text", 200))
    assert outcome.claimed is not None
    assert 49.0 < outcome.claimed.cost.peak_w < 49.1
    assert outcome.best is None


def test_sharing_and_selection_are_worth_something() -> None:
    """The sheet's section 10: children kept and shared beat the first genes."""
    means = {}
    for variant, evaluations in (("code", 40), ("text", 640)):
        values = []
        for seed in range(3):
            claimed = run_partition(alexnet_task(variant, evaluations, seed=seed)).claimed
            assert claimed is not None
            values.append(claimed.cost.efficiency)
            assert (max(partners(split(claimed.gene)[0])) >= 0) == (variant == "text")
        means[variant] = float(np.mean(values))
    assert 630 < means["code"] < 665
    assert means["code"] + 10 < means["text"] < 690


def test_the_closed_form_judges_and_the_best_is_confirmed() -> None:
    task = alexnet_task("text", 400)
    fast = run_partition(replace(task, method=PublishedSearch(variant="text", exact=False)))
    assert fast.claimed is None
    assert fast.evaluations <= 400
    whole = small(PublishedSearch(variant="text", exact=False), 600)
    assert whole.best is not None
    tables = problem(SMALL, power_w=WATTS).tables(whole.best.point)
    assert evaluate(tables, whole.best.design, True) == whole.best.cost


def ablation(**options: object) -> Winner:
    """Return the best of AlexNet at one ratio, with some options of the search."""
    options = {"variant": "text", "duplication": "proportional", "exact": False, **options}
    method = PublishedSearch(**options)  # type: ignore[arg-type]
    found = search(problem(ALEXNET, power_w=49.0), method, evaluations=800, seed=1)
    assert found.best is not None
    return found.best


def test_without_duplication_efficiency_is_several_times_lower() -> None:
    """Fig. 7 of the seed."""
    none, proportional = ablation(duplication="none"), ablation()
    assert (none.design.copies == 1).all()
    assert none.cost.efficiency < 0.2 * proportional.cost.efficiency


def test_identical_macros_are_of_one_size() -> None:
    """Fig. 8: all layers of a gene follow from one number of crossbars a macro."""
    winner = ablation(macros="identical", sharing=False)
    tables = problem(ALEXNET, power_w=49.0).tables(winner.point)
    copies = winner.design.copies[tables.kind == CONV]
    space = make_space(tables, copies, "identical")
    assert tuple(split(winner.gene)[1]) in {*space.firsts, *space.others}


def test_without_sharing_every_layer_has_its_own_macros() -> None:
    """Fig. 9."""
    assert max(partners(split(ablation(sharing=False).gene)[0])) < 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_too_little_power_is_said(variant: Variant) -> None:
    method = PublishedSearch(variant=variant)
    found = search(problem(ALEXNET, power_w=1.0), method, evaluations=100, seed=1)
    assert found.best is None
    assert found.claimed is None
    assert found.evaluations == 0
    assert found.curve == ()
    assert "no point holds one copy of the weights at 1 W, a first needs 1" in found.explanation


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_power_that_is_said_is_enough_for_the_weights(variant: Variant) -> None:
    method = PublishedSearch(variant=variant)
    said = search(problem(SMALL, power_w=0.001), method, evaluations=1, seed=1).explanation
    watts = float(said.split()[-2])
    for factor, contents in ((0.99, False), (1.01, True)):
        given = problem(SMALL, power_w=factor * watts)
        assert bool(make_plan(given, method, evaluations=1, seed=1).shares) == contents


def test_too_little_power_for_the_rest_is_said() -> None:
    given = replace(problem(SMALL, power_w=0.16), ratios=(0.95,))
    found = search(given, PublishedSearch(variant="text"), evaluations=60, seed=1)
    assert found.best is None
    assert found.evaluations == 60
    assert found.explanation.startswith("none of 60 designs keeps to 0.16 W; ")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_a_network_without_convolutions_is_searched_too(variant: Variant, rules: Rules) -> None:
    found = search(
        problem(DENSE, power_w=0.5, rules=rules),
        PublishedSearch(variant=variant),
        evaluations=120,
        seed=1,
    )
    assert found.evaluations == 120
    assert found.best is not None


@pytest.mark.long
@pytest.mark.parametrize("variant", VARIANTS)
def test_alexnet_is_in_the_range_of_the_public_code(variant: Variant) -> None:
    found = search(
        problem(ALEXNET, power_w=49.0), PublishedSearch(variant=variant), evaluations=6400, seed=1
    )
    assert found.best is not None
    assert 620 < found.best.cost.efficiency < 690
    assert found.best.point == POINT
