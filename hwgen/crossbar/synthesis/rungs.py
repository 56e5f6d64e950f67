"""Designs for fixed budgets, the rungs: what a short search answers with, whatever its own budget.

Rungs follow from network, components and rules alone. From the lowest on, each is searched from
what was found on those below, and from plain designs. What is found up to a rung does not depend on
how far it goes on from there: a larger budget has all that a smaller one has, and more.
"""

import itertools
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.design import Design, copies_for
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.least import floors, is_within, lowest_w, smallest_designs
from hwgen.crossbar.model.tables import POWER, Tables
from hwgen.crossbar.synthesis.anneal import HOT
from hwgen.crossbar.synthesis.result import Candidate, Chosen
from hwgen.crossbar.synthesis.state import Budget, Designs, RemainingBudget, confirmed
from hwgen.crossbar.synthesis.work import Json, from_design, opened, tables_of

CLOSE, CLOSE_RUNGS, WIDE, WIDE_RUNGS = 1.03, 24, 1.12, 18
"""From one rung to the next, and how many: first where little power more is worth much, then up to
sixteen times what every design needs. Larger budgets have what the last rung has."""

FINE, FINE_STEPS = 1.003, 120
"""From one budget to the next, and how many, of those for which a first design is looked for."""

PIECE = 60
"""Evaluations of a piece of work."""

SMALL_NETWORK = 1_500
"""Computation blocks of a design with one copy, see `RemainingBudget.effort_of`, of networks that
have rungs: larger ones need what nodes of the search point at."""

STARTS = 2
"""Designs of the rungs below that a rung is searched from."""

WARM = HOT / 2
"""First threshold of annealing from a design of the rungs below."""

ROUNDING = 1 + 1e-12

SMALL = "hwgen.crossbar.synthesis.work:small"
PLAIN = "hwgen.crossbar.synthesis.rungs:plain"
SEARCH = "hwgen.crossbar.synthesis.work:search"
IMPROVE = "hwgen.crossbar.synthesis.work:improve"
DESCEND = "hwgen.crossbar.synthesis.work:descend"


class Searching(Protocol):
    """The search that rungs answer: what it was asked for, and how it has work done."""

    network: CrossbarNetwork
    components: Components
    rules: Rules
    identical: bool
    points: list[Point]
    power_w: float
    seed: int
    budget: Budget
    stopped: bool

    def out_of_time(self) -> bool: ...
    def run(self, function: str, tasks: list[Json]) -> list[Json]: ...
    def task(self, point: Point, **more: Any) -> Json: ...


class Rungs:
    """The rungs of a search, and what was found on them so far.

    Why designs were refused is not counted: most were too large for rungs, not for the budget.

    points: each with watts that every design of it needs
    evaluations, exact_evaluations: that were spent
    """

    def __init__(self, search: Searching) -> None:
        self.search = search
        self.designs = Designs()
        self.evaluations = self.exact_evaluations = 0
        every = floors(search.network, search.components, search.rules, identical=search.identical)
        needed = (lowest_w(tables) for _, tables in every)
        self.points = list(zip(needed, search.points, strict=True))
        self.lowest_w = min(needed for needed, _ in self.points)

    def budgets(self) -> Iterator[float]:
        """Yield the budgets of all rungs up to that of the search, and of one above."""
        steps = [CLOSE] * CLOSE_RUNGS + [WIDE] * WIDE_RUNGS
        for rung_w in itertools.accumulate(steps, lambda a, b: a * b, initial=self.lowest_w):
            yield rung_w * ROUNDING
            if rung_w > self.search.power_w:
                return

    def go_up(self) -> list[Candidate]:
        """Search all rungs; return what was found within the budget of the search, best first."""
        self.look_for_the_first()
        for place, rung_w in enumerate(self.budgets()):
            if self.search.out_of_time():
                self.search.stopped = True
                break
            starts = self.plain_starts(rung_w)
            starts += [self.start_of(each, rung_w) for each in self.best(rung_w, STARTS)]
            self.confirm(SEARCH, starts, place)
            best = [self.start_of(each, each.budget_w) for each in self.best(rung_w, 1)]
            self.confirm(IMPROVE, best, place)
            self.confirm(DESCEND, [self.descent_of(each) for each in self.best(rung_w, 1)], place)
        return self.within(self.search.power_w)

    def look_for_the_first(self) -> None:
        """Find one of the smallest designs with so little power that hardly any has less."""
        for place in range(FINE_STEPS):
            rung_w = self.lowest_w * FINE**place * ROUNDING
            if self.designs.candidates or rung_w > FINE * self.search.power_w:
                return
            if self.search.out_of_time():
                return
            self.confirm(SMALL, self.all_points(rung_w), place)

    def within(self, power_w: float) -> list[Candidate]:
        """Return what was found that a budget pays for, best first."""
        return [each for each in self.designs.candidates if each.peak_w <= power_w]

    def best(self, rung_w: float, count: int) -> list[Candidate]:
        """Return some of the best designs of a rung and those below, of several lineages."""
        self.designs.own = self.within(rung_w)
        return self.designs.spread(count)

    def plain_starts(self, rung_w: float) -> list[tuple[Point, Json]]:
        """Return the best plain design of a rung without pairs, and that with pairs, as tasks."""
        tasks = self.all_points(rung_w)
        results = self.search.run(PLAIN, [task for _, task in tasks])
        found = [
            (point, each)
            for (point, _), result in zip(tasks, results, strict=True)
            for each in result["designs"]
        ]
        found.sort(key=lambda pair: -pair[1]["efficiency_gops_per_w"])
        best = {each["shared"]: (point, each) for point, each in reversed(found)}
        return [
            (point, self.task(point, rung_w, each["design"], each["memory"], HOT))
            for point, each in best.values()
        ]

    def all_points(self, rung_w: float) -> list[tuple[Point, Json]]:
        """Return each point whose designs may need no more than a rung, as a task."""
        sharing = self.search.budget.sharing
        points = [point for needed, point in self.points if needed <= rung_w]
        return [(each, self.search.task(each, power_w=rung_w, sharing=sharing)) for each in points]

    def start_of(self, each: Candidate, power_w: float) -> tuple[Point, Json]:
        """Return a design that was found as the start of a search with a budget."""
        return each.point, self.task(each.point, power_w, each.chosen.as_json(), each.memory, WARM)

    def task(self, point: Point, power_w: float, design: Json, memory: int, hot: float) -> Json:
        """Return a search with a budget from a design."""
        return self.search.task(
            point,
            power_w=power_w,
            design=design,
            memory=memory,
            hot=hot,
            evaluations=PIECE,
            sharing=self.search.budget.sharing,
        )

    def descent_of(self, each: Candidate) -> tuple[Point, Json]:
        """Return a design that is to be made for smaller budgets, too."""
        return each.point, self.search.task(
            each.point,
            power_w=each.budget_w,
            design=each.chosen.as_json(),
            peak_w=each.peak_w,
            efficiency_gops_per_w=each.efficiency_gops_per_w,
        )

    def confirm(self, function: str, starts: list[tuple[Point, Json]], place: int) -> None:
        """Search from some designs of a rung, and keep what was confirmed."""
        seed = self.search.seed * 1_000_003 + place * 101
        tasks = [
            {**task, "seed": (seed + number) % (1 << 32)} for number, (_, task) in enumerate(starts)
        ]
        results = self.search.run(function, tasks)
        for (point, _), result in zip(starts, results, strict=True):
            self.evaluations += result["evaluations"]
            self.exact_evaluations += result["exact_evaluations"]
            if result["design"] is not None:
                self.designs.keep(confirmed(point, result))


def has_rungs(network: CrossbarNetwork, remaining: RemainingBudget) -> bool:
    """Return whether a network is so small that plain designs are good enough to begin with."""
    ones = [1 for _ in network.layers]
    one_copy = Chosen(copies=ones, macros=ones, partner=[-1 for _ in ones], clocks=ones)
    return remaining.effort_of(one_copy) <= SMALL_NETWORK


def plain(task: Json) -> Json:
    """Return `designs`: the best plain one at a point by the closed form, and the best with pairs.

    Each has `design`, `memory`, `efficiency_gops_per_w`, and `shared`: whether layers share macros.
    """
    tables = tables_of(*opened(task))
    best: dict[bool, Json] = {}
    for design in plain_designs(tables):
        cost, shared = evaluate(tables, design, False), bool((design.partner >= 0).any())
        least = best[shared]["efficiency_gops_per_w"] if shared in best else 0.0
        if is_within(cost, float(tables.scalars[POWER])) and cost.efficiency > least:
            best[shared] = {
                "design": from_design(design),
                "memory": int(cost.memory),
                "efficiency_gops_per_w": float(cost.efficiency),
                "shared": shared,
            }
    return {"designs": list(best.values())}


def plain_designs(tables: Tables) -> list[Design]:
    """Return the smallest designs, and the first and last of them with copies by pixels."""
    smallest = list(smallest_designs(tables))
    most = int(np.log2(tables.pixels.max()))
    copies = [copies_for(tables, 1 << place) for place in range(most + 1)]
    ends = smallest[:1] + smallest[1:][-1:]
    return smallest + [each._replace(copies=many) for each in ends for many in copies]
