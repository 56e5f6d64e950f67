"""The search: bounds and designs find each other.

In rounds, the nodes of the design space with the best bounds are split, and the designs that their
relaxed problems point at, or the best designs so far, are annealed and confirmed exactly. A node
whose bound is no better than the best design is closed. Rounds come in phases, each of which ends
by climbing from some of the best designs. A round is a list of independent pieces of work of a
size that depends neither on who does them nor on the budget, so the answer is the same for any
number of workers, and a larger budget finds all that a smaller one does.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point, points
from hwgen.crossbar.facts.rules import STREAMED, Objective, Rules
from hwgen.crossbar.model.tables import make_tables, operations_of
from hwgen.crossbar.synthesis.result import Candidate, Chosen, PointResult, Progress, SearchResult
from hwgen.crossbar.synthesis.rungs import DESCEND, IMPROVE, SEARCH, SMALL, Rungs, has_rungs
from hwgen.crossbar.synthesis.state import (
    CLIMBERS,
    CLIMBS,
    Budget,
    Designs,
    Frontier,
    RemainingBudget,
    Waiting,
    confirmed,
    own_point,
    widest_of,
)
from hwgen.files.leash import no_deadline
from hwgen.jobs.executors import Executor
from hwgen.jobs.store import Store, run_stored

BOUND = "hwgen.crossbar.synthesis.work:bound"
FIRST = "hwgen.crossbar.synthesis.work:first"

SPLITS = 12
"""Nodes that are split in one round."""

MOST_FREE_NODES = 2_000
"""Nodes that may be looked at in vain for a first design."""

SHORT = 1_000
"""Evaluations up to which a search answers with designs of rungs alone."""

SLOWEST_NS = 1e6
"""Of one operation, in a design that nobody would build."""

CLOSE_ENOUGH = 1.001
"""A node must promise this much more than the best design to stay open."""

Json = dict[str, Any]


class Search:
    """One search as it goes on.

    widest: see `widest_of`
    simple: a design that fits, until the search has one of its own, which it does not depend on
        unless it is one of the smallest there are
    along, before: designs of rungs, best first, and the evaluations that they took, see `rungs`
    frontier: what is known of all nodes
    descended: designs that were tried with smaller budgets
    """

    def __init__(
        self,
        network: CrossbarNetwork,
        components: Components,
        *,
        power_w: float,
        rules: Rules,
        seed: int,
        budget: Budget,
        executor: Executor,
        store: Store | None,
        on_progress: Callable[[Progress], None] | None,
        objective: Objective = "image",
        identical: bool = False,
        refused: Counter[str] | None = None,
        adopt: "Stage | None" = None,
    ) -> None:
        self.network, self.components = network, components
        self.power_w, self.rules, self.seed, self.budget = power_w, rules, seed, budget
        self.objective, self.identical = objective, identical
        self.executor, self.store, self.on_progress = executor, store, on_progress
        self.adopt = adopt
        self.points = points(components, rules)
        self.widest = widest_of(self.points)
        self.problem = json.dumps([asdict(network), asdict(components)], sort_keys=True)
        self.operations = float(operations_of(network, rules))
        self.remaining = RemainingBudget(budget, network)
        self.frontier = Frontier()
        self.designs = Designs()
        self.descended: list[Candidate] = []
        self.refused: Counter[str] = Counter() if refused is None else refused
        self.convergence: list[Progress] = []
        self.evaluations = self.exact_evaluations = self.nodes = 0
        self.simple: Candidate | None = None
        self.along: list[Candidate] = []
        self.before = 0
        self.stopped = False
        self.started = time.monotonic()

    @property
    def best(self) -> Candidate | None:
        """The most efficient design so far."""
        return self.designs.best

    @property
    def target_price(self) -> float:
        """Price above which a node holds nothing of interest."""
        return self.best_price / CLOSE_ENOUGH if self.best else self.hopeless_price

    @property
    def best_price(self) -> float:
        """Price of the best design: nJ, ns, or nJ ns of an image; infinite without one."""
        if self.best is None:
            return float("inf")
        if self.objective == "image":
            return self.best.energy_nj
        return self.operations / self.best.efficiency_gops_per_w

    @property
    def hopeless_price(self) -> float:
        """Price of a design that nobody would build: 1 GOPS/W, 1 kOPS, or both."""
        if self.objective in ("image", "stream"):
            return self.operations
        energy = self.operations if self.objective == "edp" else 1.0
        return self.operations * SLOWEST_NS * energy

    def task(self, point: Point, **more: Any) -> Json:
        """Return a piece of work at a point."""
        return {
            "problem": self.problem,
            "point": asdict(point),
            "power_w": self.power_w,
            "rules": self.rules,
            "objective": self.objective,
            "identical": self.identical,
            **more,
        }

    def run(self, function: str, tasks: list[Json]) -> list[Json]:
        """Return the results of some pieces of work, in their order."""
        return run_stored(self.executor, function, tasks, self.store, None)

    def begin(self) -> None:
        """Open the nodes of every point."""
        for place in dict.fromkeys(self.widest):
            like = [n for n, widest in enumerate(self.widest) if widest == place]
            ratio = min(self.points[n].rram_ratio or 0.0 for n in like)
            args = (self.network, self.components, self.points[place], self.power_w, self.rules)
            tables = make_tables(*args, self.objective)
            self.frontier.begin(place, tables, ratio, self.target_price)

    def take(self, point: int, result: Json) -> None:
        """Open the nodes of a result, and note the designs that they point at."""
        self.remaining.price(len(result["nodes"]), result["priced"])
        for entry in result["nodes"]:
            self.nodes += 1
            is_open = self.frontier.put(point, entry, entry["price"], self.target_price)
            if is_open and entry["design"] is not None:
                waiting = Waiting(
                    height=entry["height"],
                    number=self.frontier.number,
                    point=own_point(self.points[point], entry),
                    memory=entry["memory"],
                    design=entry["design"],
                )
                self.designs.wait(waiting)

    def look_first(self) -> None:
        """Find a simple design that fits at some point, and tell of it.

        Where none does the smallest designs are tried, and the search goes on from the one found.
        """
        for function in (FIRST, SMALL):
            for point in self.points:
                if self.simple is None and not self.out_of_time():
                    task = self.task(point, sharing=self.budget.sharing)
                    (result,) = self.run(function, [task])
                    if result["design"] is not None:
                        self.simple = confirmed(point, result)
                        if function == SMALL and not self.is_short:
                            self.designs.keep(self.simple)
                        self.tell()

    @property
    def known(self) -> Candidate | None:
        """The most efficient design so far, those of rungs and the simple one, too."""
        found = [*self.designs.candidates[:1], *self.along[:1]]
        if self.simple is not None and not (self.is_short and self.along):
            found.append(self.simple)
        return max(found, key=lambda each: each.efficiency_gops_per_w, default=None)

    @property
    def has_rungs(self) -> bool:
        """Whether designs of fixed budgets are looked at: by strict rules, of small networks."""
        asked = self.budget.evaluations is not None and self.adopt is None
        return asked and self.rules.whole_parts and has_rungs(self.network, self.remaining)

    @property
    def is_short(self) -> bool:
        """Whether designs of fixed budgets are all that the search answers with."""
        return self.has_rungs and (self.budget.evaluations or 0) <= SHORT

    def go_up(self) -> None:
        """Search budgets that do not depend on the own one, for designs that it pays for."""
        if not self.has_rungs:
            return
        rungs = Rungs(self)
        self.along = rungs.go_up()
        self.before = rungs.evaluations
        self.exact_evaluations += rungs.exact_evaluations
        self.tell()

    @property
    def bounding(self) -> bool:
        """Whether nodes are split: some are open, and the phase allows more."""
        return self.remaining.nodes > 0 and bool(self.frontier.open)

    def go_on(self) -> None:
        """Go through phases until the budget or the time is spent.

        What an adopted design leaves is spent on its bound, and so is one phase of a short search.
        Without a design there is no use in more phases than by default.
        """
        climbs = self.adopt is None and not self.is_short
        while not self.stopped and self.remaining.begin_phase(
            more=climbs and self.best is not None
        ):
            if not climbs:
                self.remaining.end()
            self.designs.begin_phase(afresh=self.remaining.afresh)
            self.go_round()
            if climbs:
                self.climb()
            if self.is_short:
                break

    def go_round(self) -> None:
        """Go through the stages of a round again and again, until phase or time is spent."""
        while not self.stopped and (self.remaining.annealing or self.bounding):
            if self.out_of_time():
                self.stopped = True
                break
            for stage in ROUND:
                stage(self)

    def split(self) -> None:
        """Bound the most promising nodes, or their halves."""
        if not self.bounding:
            return
        chosen = self.frontier.take(min(SPLITS, self.remaining.nodes), self.target_price)
        tasks = [
            self.task(
                self.points[node.point],
                target_price=self.target_price,
                **{key: node.entry[key] for key in ("node", "cuts", "ranges", "split", "whole")},
            )
            for node in chosen
        ]
        try:
            results = self.run(BOUND, tasks)
        except KeyboardInterrupt:
            self.frontier.put_back(chosen)
            raise
        # Until a first design is known, nodes are free: without one nothing else helps.
        if self.best or self.designs.waiting or self.nodes > MOST_FREE_NODES:
            self.remaining.split(len(chosen))
        for node, result in zip(chosen, results, strict=True):
            if result["narrow"]:
                self.frontier.close(node.point, node.entry, node.price)
            for entry in result["nodes"]:
                entry["price"] = max(entry["price"], node.price)
                entry["whole"] = False
            self.take(node.point, result)

    def anneal(self) -> None:
        """Anneal the next designs where that is due, and keep what was confirmed."""
        if not self.remaining.annealing or (self.bounding and not self.remaining.annealing_is_due):
            return
        starts = self.designs.starts(self.is_open, self.hopeless_price)
        if not starts:
            if not self.bounding:
                self.remaining.end()
            return
        tasks = []
        for place, start in enumerate(starts):
            task = self.task(
                start.point,
                power_w=start.budget_w or self.power_w,
                memory=start.memory,
                design=start.design,
                evaluations=self.remaining.annealed(Chosen(**start.design)),
                seed=self.seed_of(place),
                hot=start.hot,
                sharing=self.budget.sharing,
            )
            if task["evaluations"] > 0:
                tasks.append((start.point, task))
        self.confirm(SEARCH, tasks)

    def seed_of(self, place: int) -> int:
        """Return the seed of a piece of work: its place among those that are done side by side."""
        return (self.seed * 1_000_003 + self.evaluations + place) % (1 << 32)

    def confirm(self, function: str, tasks: list[tuple[Point, Json]]) -> None:
        """Search from some designs, each at its point, and keep what was confirmed."""
        results = self.run(function, [task for _, task in tasks])
        for (point, _), result in zip(tasks, results, strict=True):
            self.evaluations += result["evaluations"]
            self.exact_evaluations += result["exact_evaluations"]
            self.refused.update(result["refused"])
            if result["design"] is not None:
                self.designs.keep(confirmed(point, result))

    def climb(self) -> None:
        """Look around some of the best designs for better ones, each time with as much effort."""
        for turn in range(CLIMBS):
            if self.stopped or self.remaining.is_empty:
                return
            starts, tasks = self.designs.climbers(turn), []
            for place, start in enumerate(starts):
                task = self.task(
                    start.point,
                    power_w=start.budget_w,
                    memory=start.memory,
                    design=start.chosen.as_json(),
                    evaluations=self.remaining.climbed(start.chosen, CLIMBS * len(starts)),
                    seed=self.seed_of(place),
                    sharing=self.budget.sharing,
                )
                if task["evaluations"] > 0:
                    tasks.append((start.point, task))
            self.confirm(IMPROVE, tasks)
            self.descend()
            self.tell()

    def descend(self) -> None:
        """Make the best designs for smaller budgets, too, where longer steps serve them better.

        Published rules spend the whole budget, and their bound counts on it. What another search
        answers is left as it is.
        """
        if not self.rules.whole_parts or self.adopt is not None or self.remaining.is_empty:
            return
        best = self.designs.spread(CLIMBERS)
        fresh = [each for each in best if each not in self.descended]
        self.descended += fresh
        tasks = [
            self.task(
                each.point,
                power_w=each.budget_w,
                design=each.chosen.as_json(),
                peak_w=each.peak_w,
                efficiency_gops_per_w=each.efficiency_gops_per_w,
            )
            for each in fresh
        ]
        self.confirm(DESCEND, [(each.point, task) for each, task in zip(fresh, tasks, strict=True)])

    def is_open(self, point: Point, memory: int) -> bool:
        """Return whether a point may hold something better with scratchpads of a size."""
        widest = self.widest[self.points.index(point)]
        return self.frontier.is_open(widest, point.rram_ratio or 0.0, memory)

    def least_price(self) -> float:
        """Return the price that no design is below."""
        return min(self.best_price, self.frontier.least_price())

    def bound_gops_per_w(self, least_price: float) -> float:
        """Return the efficiency that no design is above; infinite where no bound is known.

        Identical macros have at least the components that a step needs, within the budget, and so
        keep to the bound of strict rules; published bounds count the whole rest of it as spent.
        Published rules say nothing of streams.
        """
        plain = not self.identical and self.objective not in STREAMED
        known = self.rules.whole_parts or plain
        return self.operations / least_price if known else float("inf")

    def tell(self) -> None:
        """Note how far the search is, and tell whoever wants to know."""
        best = self.known.efficiency_gops_per_w if self.known else 0.0
        bound = self.bound_gops_per_w(self.least_price())
        self.convergence.append(
            Progress(
                evaluations=self.before + self.evaluations,
                best_gops_per_w=best,
                bound_gops_per_w=bound,
            )
        )
        if self.on_progress is not None:
            self.on_progress(self.convergence[-1])

    def out_of_time(self) -> bool:
        """Whether a time limit has passed."""
        limit = self.budget.time_limit_s
        return limit is not None and time.monotonic() - self.started > limit

    def go(self) -> SearchResult | None:
        """Search until the budget is spent or nothing is left to find; None if nothing fits."""
        try:
            for stage in stages_of(self.adopt):
                stage(self)
        except KeyboardInterrupt:
            if self.known is None:
                raise
            no_deadline()
            self.stopped = True
        for each in [self.known, *self.along]:
            if each is not None:
                self.designs.keep(each)
        return self.result() if self.best else None

    def result(self) -> SearchResult:
        """Return what was found."""
        assert self.best is not None
        return SearchResult(
            rules=self.rules,
            power_w=self.power_w,
            seed=self.seed,
            method=self.budget.method,
            best=self.best,
            candidates=self.designs.candidates,
            points=[self.point_result(place) for place in range(len(self.points))],
            convergence=self.convergence,
            bound_gops_per_w=self.bound_gops_per_w(self.least_price()),
            objective=self.objective,
            identical=self.identical,
            evaluations=self.before + self.evaluations,
            exact_evaluations=self.exact_evaluations,
            nodes=self.nodes,
            refused=dict(self.refused),
            stopped_early=self.stopped,
        )

    def point_result(self, place: int) -> PointResult:
        """Return what is known of one point."""
        point: Point = self.points[place]
        own = [each for each in self.designs.candidates if each.point == point]
        best = own[0].efficiency_gops_per_w if own else 0.0
        bound = self.frontier.least_price(self.widest[place], point.rram_ratio or 0.0)
        return PointResult(
            point=point,
            bound_gops_per_w=max(best, self.bound_gops_per_w(bound)),
            best_gops_per_w=best,
        )


Stage = Callable[[Search], None]

BOUNDED: tuple[Stage, ...] = (
    Search.begin,
    Search.look_first,
    Search.tell,
    Search.go_up,
    Search.go_on,
)
"""The stages of a search. Each confirms what it finds exactly, and keeps it."""

ROUND: tuple[Stage, ...] = (Search.split, Search.anneal, Search.descend, Search.tell)


def stages_of(adopt: Stage | None) -> tuple[Stage, ...]:
    """Return the stages of a search, or of one that sets an adopted design beside its bound."""
    if adopt is None:
        return BOUNDED
    return Search.begin, adopt, Search.tell, Search.go_on


def synthesize(
    network: CrossbarNetwork,
    components: Components,
    *,
    power_w: float,
    rules: Rules,
    seed: int,
    budget: Budget,
    executor: Executor,
    store: Store | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    objective: Objective = "image",
    identical: bool = False,
    refused: Counter[str] | None = None,
    adopt: Stage | None = None,
) -> SearchResult | None:
    """Return the best design for a network within a power budget; None if none fits.

    identical: all macros have as many of each component; nodes are split by what they promise
    specialized ones.

    refused: counts why designs were not taken, also where none fits
    adopt: another search, of the name `budget.method`, whose design is set beside the bound

    An interrupt or the time limit ends the search with what it has. What is finished is in `store`,
    and is not done again.
    """
    search = Search(
        network,
        components,
        power_w=power_w,
        rules=rules,
        seed=seed,
        budget=budget,
        executor=executor,
        store=store,
        on_progress=on_progress,
        objective=objective,
        identical=identical,
        refused=refused,
        adopt=adopt,
    )
    return search.go()
