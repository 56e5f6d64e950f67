"""A published search as pieces of work in JSON: its tasks, a point's at a time, or all of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.evaluate import Cost
from hwgen.crossbar.model.record import design_of
from hwgen.crossbar.synthesis.work import from_design, problem_of
from hwgen.files.leash import no_deadline
from hwgen_studies.pimsyn_paper.published_search.search import search
from hwgen_studies.pimsyn_paper.published_search.tasks import (
    AnnealingTask,
    Copies,
    Outcome,
    PartitionTask,
    Problem,
    PublishedSearch,
    Winner,
    efficiency,
    run_annealing,
    run_partition,
)

Json = dict[str, Any]
AnyTask = AnnealingTask | PartitionTask

BATCH = 4
"""Pieces that are done before a search tells how far it is, or ends early."""


def anneal(piece: Json) -> list[list[Copies]]:
    """Return the weight duplications of each task of a piece."""
    return [run_annealing(AnnealingTask(**each)) for each in tasks_of(piece)]


def partition(piece: Json) -> list[Json]:
    """Return the outcome of each task of a piece."""
    return [from_outcome(run_partition(PartitionTask(**each))) for each in tasks_of(piece)]


def piece_of(problem: str, tasks: list[AnyTask]) -> Json:
    """Return tasks at one point as a piece; problem: network and components, as JSON."""
    first = tasks[0]
    shared = ("problem", "method", "point", "place", "seed")
    return {
        "problem": problem,
        "power_w": first.problem.power_w,
        "rules": first.problem.rules,
        "ratios": first.problem.ratios,
        "method": asdict(first.method),
        "point": asdict(first.point),
        "place": first.place,
        "seed": first.seed,
        "tasks": [{k: v for k, v in vars(task).items() if k not in shared} for task in tasks],
    }


def tasks_of(piece: Json) -> list[Json]:
    """Return what the tasks of a piece are made of."""
    network, components = problem_of(piece["problem"])
    shared = {
        "problem": Problem(
            network=network,
            components=components,
            power_w=piece["power_w"],
            rules=Rules(*piece["rules"]),
            ratios=tuple(piece["ratios"]),
        ),
        "method": PublishedSearch(**piece["method"]),
        "point": Point(**piece["point"]),
        "place": piece["place"],
        "seed": piece["seed"],
    }
    return [
        shared | {key: as_copies(value) for key, value in task.items()} for task in piece["tasks"]
    ]


def as_copies(value: int | list[int]) -> int | Copies:
    """Return lists as tuples: what JSON makes of copies."""
    return tuple(value) if isinstance(value, list) else value


def from_outcome(outcome: Outcome) -> Json:
    """Return an outcome as JSON; `claimed` has no place, only unaudited searches look at it."""
    best = outcome.best
    return {
        "evaluations": outcome.evaluations,
        "exact_evaluations": outcome.exact_evaluations,
        "steps": outcome.steps,
        "best": best
        and {
            "point": asdict(best.point),
            "ratio": best.ratio,
            "gene": best.gene,
            "design": from_design(best.design),
            "cost": [plain(value) for value in best.cost],
        },
    }


def plain(value: Any) -> Any:
    """Return a number of a compiled function as one of Python."""
    return value.item() if hasattr(value, "item") else value


def as_outcome(given: Json) -> Outcome:
    """Return an outcome from JSON."""
    best = given["best"]
    return Outcome(
        best=best
        and Winner(
            point=Point(**best["point"]),
            ratio=best["ratio"],
            gene=tuple(best["gene"]),
            design=design_of(**best["design"]),
            cost=Cost(*best["cost"]),
        ),
        claimed=None,
        evaluations=given["evaluations"],
        exact_evaluations=given["exact_evaluations"],
        steps=tuple((step, value) for step, value in given["steps"]),
    )


NAMES: dict[Any, str] = {
    run_annealing: f"{__name__}:{anneal.__name__}",
    run_partition: f"{__name__}:{partition.__name__}",
}


@dataclass
class Workers:
    """Does the tasks of a published search in batches, as a `search.Mapper`.

    problem: network and components, as JSON
    run: does pieces by the name of a function, and returns their results in order
    tell: takes the evaluations so far and the best design, after each point
    late: whether to end with what there is; so does an interrupt. Neither ends a search that has
        found nothing yet, but an interrupt is passed on then.
    """

    problem: str
    run: Callable[[str, list[Json]], list[Any]]
    tell: Callable[[int, Winner | None], None]
    late: Callable[[], bool]
    stopped: bool = False
    evaluations: int = 0
    best: Winner | None = None

    def __call__(self, function: Any, tasks: Iterable[Any], /) -> Iterator[Any]:
        """Yield the results of tasks in their order; fewer if the search is ended."""
        pieces = [
            piece_of(self.problem, list(group))
            for _, group in groupby(tasks, key=lambda task: task.place)
        ]
        for start in range(0, len(pieces), BATCH):
            if self.best and self.late():
                self.stopped = True
                return
            try:
                results = self.run(NAMES[function], pieces[start : start + BATCH])
            except KeyboardInterrupt:
                if self.best is None:
                    raise
                no_deadline()
                self.stopped = True
                return
            for result in results:
                if function is run_partition:
                    yield from self.noted(result)
                else:
                    yield from ([tuple(copies) for copies in each] for each in result)

    def noted(self, result: list[Json]) -> list[Outcome]:
        """Return the outcomes of a piece, and tell of them."""
        outcomes = [as_outcome(each) for each in result]
        for outcome in outcomes:
            self.evaluations += outcome.evaluations
            if efficiency(outcome.best) > efficiency(self.best):
                self.best = outcome.best
        self.tell(self.evaluations, self.best)
        return outcomes


def run(task: Json) -> Json:
    """Return what a published search finds; `design` null: nothing, and `explanation` says why.

    task: `problem`, network and components as JSON; `power_w`; `rules`; `method`, the fields of
        `PublishedSearch`; `evaluations`; `seed`
    """
    network, components = problem_of(task["problem"])
    found = search(
        Problem(
            network=network,
            components=components,
            power_w=task["power_w"],
            rules=Rules(*task["rules"]),
        ),
        PublishedSearch(**task["method"]),
        evaluations=task["evaluations"],
        seed=task["seed"],
    )
    spent = {"evaluations": found.evaluations, "explanation": found.explanation}
    if found.best is None:
        return {"design": None, "cost": None, **spent}
    cost = found.best.cost
    return {
        "design": from_design(found.best.design),
        "cost": {
            "efficiency_gops_per_w": float(cost.efficiency),
            "energy_nj": float(cost.energy_nj),
            "steps": int(cost.steps),
            "step_ns": float(cost.step_ns),
            "interval_steps": int(cost.interval),
            "peak_w": float(cost.peak_w),
        },
        **spent,
    }
