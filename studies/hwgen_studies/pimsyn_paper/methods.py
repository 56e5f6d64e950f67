"""The published search: its design, beside the bound of ours."""

from collections.abc import Callable
from functools import partial

from hwgen.crossbar.synthesis.result import Candidate, Chosen
from hwgen.crossbar.synthesis.search import Search
from hwgen.crossbar.synthesis.work import from_design
from hwgen_studies.pimsyn_paper.published_search.annealing import Variant
from hwgen_studies.pimsyn_paper.published_search.genes import Macros
from hwgen_studies.pimsyn_paper.published_search.pieces import Workers
from hwgen_studies.pimsyn_paper.published_search.search import search as published_search
from hwgen_studies.pimsyn_paper.published_search.tasks import Problem, PublishedSearch, Winner


def adopt(search: Search, variant: Variant) -> None:
    """Take the design of the published search; its genes are judged by the closed form."""
    workers = Workers(
        problem=search.problem,
        run=search.run,
        tell=partial(follow, search),
        late=search.out_of_time,
    )
    macros: Macros = "identical" if search.identical else "specialized"
    found = published_search(
        Problem(
            network=search.network,
            components=search.components,
            power_w=search.power_w,
            rules=search.rules,
        ),
        PublishedSearch(variant=variant, macros=macros, exact=False),
        evaluations=search.budget.evaluations,
        seed=search.seed,
        mapper=workers,
    )
    search.evaluations = found.evaluations
    search.exact_evaluations = found.exact_evaluations
    search.stopped = workers.stopped
    if found.best is None:
        search.frontier.open.clear()


def follow(search: Search, evaluations: int, best: Winner | None) -> None:
    """Tell how far the published search is."""
    search.evaluations = evaluations
    search.designs.candidates = [adopted(best, search.power_w)] if best else []
    search.tell()


def adopted(winner: Winner, power_w: float) -> Candidate:
    """Return a design of the published search within a budget as a candidate."""
    cost = winner.cost
    return Candidate(
        point=winner.point,
        chosen=Chosen(**from_design(winner.design)),
        budget_w=power_w,
        efficiency_gops_per_w=cost.efficiency,
        energy_nj=cost.energy_nj,
        steps=int(cost.steps),
        step_ns=cost.step_ns,
        interval_steps=int(cost.interval),
        peak_w=cost.peak_w,
        memory=int(cost.memory),
    )


METHODS: dict[str, Callable[[Search], None]] = {
    "text": partial(adopt, variant="text"),
    "code": partial(adopt, variant="code"),
}
"""By the name that a person gives it: as described, or as shipped."""
