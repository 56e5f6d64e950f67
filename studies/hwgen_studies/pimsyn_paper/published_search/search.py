"""The whole published search over the outer loop (seed 003, Alg. 1), by a count of evaluations.

A `Plan` spreads the evaluations evenly over the points that hold the weights. Two rounds of
independent tasks follow: `annealing_tasks`, one for each RatioRram, ResRram and XbSize, then
`partition_tasks`, one for each point and weight duplication. `search` maps over both with what it
is given; `gather` puts the outcomes together in the order of the tasks. `decades` is the size of
the published design space (Table I).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.model.tables import CONV, FC, PEAK, POWER, RATIO, Tables
from hwgen_studies.pimsyn_paper.published_search.annealing import (
    copies_problem,
    holds_weights,
    reserve_w,
)
from hwgen_studies.pimsyn_paper.published_search.tasks import (
    AnnealingTask,
    Copies,
    Outcome,
    PartitionTask,
    Problem,
    PublishedSearch,
    Winner,
    efficiency,
    even,
    run_annealing,
    run_partition,
)

Crossbars = tuple[float | None, int, int]
"""RatioRram, ResRram and XbSize: what a weight duplication depends on."""

Task = TypeVar("Task")
Result = TypeVar("Result")


class Mapper(Protocol):
    """Something that runs a function over tasks and returns the results in their order."""

    def __call__(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], /
    ) -> Iterable[Result]: ...


@dataclass(frozen=True, kw_only=True)
class Share:
    """A point of the outer loop that holds the weights, its place there, and its evaluations."""

    place: int
    point: Point
    evaluations: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a search is going to do; `points`: of the outer loop, those that hold nothing too."""

    problem: Problem
    method: PublishedSearch
    seed: int
    points: int
    shares: tuple[Share, ...]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a published search found.

    best, claimed: see `Outcome`
    evaluations: that were spent; exact_evaluations: those of the exact simulation among them
    curve: (evaluations, GOPS/W of the best until then), at each improvement
    explanation: why there is no design; empty if there is one
    """

    best: Winner | None
    claimed: Winner | None
    evaluations: int
    exact_evaluations: int
    curve: tuple[tuple[int, float], ...]
    explanation: str


def make_plan(
    problem: Problem, method: PublishedSearch, *, evaluations: int | None, seed: int
) -> Plan:
    """Return the points that hold the weights, with their evaluations; None: as published."""
    known: dict[Crossbars, bool] = {}
    held = []
    points = problem.points()
    for place, point in enumerate(points):
        key = crossbars_of(point)
        if key not in known:
            known[key] = holds(problem, method, point)
        if known[key]:
            held.append((place, point))
    budgets = [method.evaluations_at_a_point()] * len(held)
    if evaluations is not None and held:
        budgets = even(evaluations, len(held))
    return Plan(
        problem=problem,
        method=method,
        seed=seed,
        points=len(points),
        shares=tuple(
            Share(place=place, point=point, evaluations=share)
            for (place, point), share in zip(held, budgets, strict=True)
        ),
    )


def crossbars_of(point: Point) -> Crossbars:
    """Return what a weight duplication depends on."""
    return point.rram_ratio, point.cell_bits, point.side


def holds(problem: Problem, method: PublishedSearch, point: Point) -> bool:
    """Return whether a point's share of the budget holds one copy of all weights."""
    tables = problem.tables(point)
    ratio = point.rram_ratio or 0.0
    copies = copies_problem(tables, ratio, method.variant, audited=method.audited)
    return holds_weights(copies, method.variant)


def least_power(plan: Plan) -> float:
    """Return the power in W at which a first point holds one copy of all weights (Eq. 3)."""
    least = math.inf
    for point in plan.problem.points():
        tables = plan.problem.tables(point)
        crossbars = int(tables.crossbars.sum()) + (plan.method.variant == "code")
        needed = crossbars * float(tables.crossbar[PEAK])
        if plan.method.audited:
            needed += reserve_w(tables, plan.method.variant)
        least = min(least, needed / (point.rram_ratio or 1.0))
    return least


def annealing_tasks(plan: Plan) -> list[AnnealingTask]:
    """Return the first round: weight duplications for each RatioRram, ResRram and XbSize."""
    tasks: dict[Crossbars, AnnealingTask] = {}
    for share in plan.shares:
        if share.evaluations > 0 and crossbars_of(share.point) not in tasks:
            tasks[crossbars_of(share.point)] = AnnealingTask(
                problem=plan.problem,
                method=plan.method,
                point=share.point,
                place=share.place,
                candidates=plan.method.candidates(share.evaluations),
                seed=plan.seed,
            )
    return list(tasks.values())


def partition_tasks(
    plan: Plan, annealed: Iterable[tuple[AnnealingTask, list[Copies]]]
) -> list[PartitionTask]:
    """Return the second round: macros for each point and weight duplication."""
    candidates = {crossbars_of(task.point): copies for task, copies in annealed}
    tasks = []
    for share in plan.shares:
        copies = candidates.get(crossbars_of(share.point), [()])
        for number, each in enumerate(plan.method.split(share.evaluations, len(copies))):
            if each > 0:
                tasks.append(
                    PartitionTask(
                        problem=plan.problem,
                        method=plan.method,
                        point=share.point,
                        place=share.place,
                        candidate=number,
                        copies=copies[number],
                        first_copies=copies[0],
                        evaluations=each,
                        seed=plan.seed,
                    )
                )
    return tasks


def gather(plan: Plan, outcomes: Iterable[Outcome]) -> Found:
    """Return what all tasks found together; of equal designs the first counts."""
    best: Winner | None = None
    claimed: Winner | None = None
    evaluations = exact_evaluations = 0
    curve: list[tuple[int, float]] = []
    for outcome in outcomes:
        for step, value in outcome.steps:
            if not curve or value > curve[-1][1]:
                curve.append((evaluations + step, value))
        evaluations += outcome.evaluations
        exact_evaluations += outcome.exact_evaluations
        if efficiency(outcome.best) > efficiency(best):
            best = outcome.best
        if efficiency(outcome.claimed) > efficiency(claimed):
            claimed = outcome.claimed
    return Found(
        best=best,
        claimed=claimed,
        evaluations=evaluations,
        exact_evaluations=exact_evaluations,
        curve=tuple(curve),
        explanation="" if best else explain(plan, evaluations),
    )


def explain(plan: Plan, evaluations: int) -> str:
    """Return why there is no design."""
    power = plan.problem.power_w
    if not plan.shares:
        least = least_power(plan)
        return f"no point holds one copy of the weights at {power:g} W, a first needs {least:.4g} W"
    return (
        f"none of {evaluations} designs keeps to {power:g} W; "
        f"{len(plan.shares)} of {plan.points} points hold the weights"
    )


def one_by_one(function: Callable[[Task], Result], tasks: Iterable[Task], /) -> Iterable[Result]:
    """Run tasks here, one after another."""
    return map(function, tasks)


def search(
    problem: Problem,
    method: PublishedSearch,
    *,
    evaluations: int | None,
    seed: int,
    mapper: Mapper = one_by_one,
) -> Found:
    """Run a published search.

    Args:
        problem: what an accelerator is wanted for
        method: which published search
        evaluations: designs that may be judged, spread evenly over the points that hold the
            weights; None: the published settings (code: 400 a point, text: 241,200)
        seed: of all random numbers
        mapper: runs the tasks; any number of workers finds the same

    """
    plan = make_plan(problem, method, evaluations=evaluations, seed=seed)
    first = annealing_tasks(plan)
    annealed = zip(first, mapper(run_annealing, first), strict=True)
    return gather(plan, mapper(run_partition, partition_tasks(plan, annealed)))


def decades(problem: Problem, *, macros: bool) -> float:
    """Return the common logarithm of the number of designs; -inf: there are none.

    A design is a point of the outer loop, the copies of each convolution (Eq. 2 and 3) and, if
    asked for, the macros of each layer with weights (section IV-C, rule c). Counts of components
    follow from these (Eq. 6), and pairs that share macros are not counted.
    """
    known: dict[object, float] = {}
    total = 0.0
    for point in problem.points():
        key = crossbars_of(point)
        if key not in known:
            known[key] = designs_at(problem.tables(point), macros=macros)
        total += known[key]
    return math.log10(total) if total else -math.inf


def designs_at(tables: Tables, *, macros: bool) -> float:
    """Return the choices of copies and macros whose crossbars a share of the budget holds."""
    scalars = tables.scalars
    budget = int(scalars[POWER] * scalars[RATIO] / tables.crossbar[PEAK])
    unit = int(np.gcd.reduce(tables.crossbars))
    alone = tables.kind == FC
    room = (budget - int(tables.crossbars[alone].sum())) // unit
    if room < 0:
        return 0.0
    most = tables.row_tiles if macros else np.ones_like(tables.row_tiles)
    ways = np.zeros(room + 1)  # by crossbars that are taken, in units
    ways[0] = float(np.prod(most[alone], dtype=float))
    for i in np.flatnonzero(tables.kind == CONV):
        size = int(tables.crossbars[i]) // unit
        more = np.zeros_like(ways)
        for copies in range(1, min(int(tables.pixels[i]), room // size) + 1):
            taken = copies * size
            choices = copies * most[i] if macros else 1
            more[taken:] += choices * ways[: len(ways) - taken]
        ways = more
    return float(ways.sum())
