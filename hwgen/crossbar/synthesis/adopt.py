"""Designs of the published search as candidates of ours: they are set beside the same bound."""

from hwgen.crossbar.synthesis.published.duplication import Variant
from hwgen.crossbar.synthesis.published.genes import Macros
from hwgen.crossbar.synthesis.published.method import Problem, PublishedSearch
from hwgen.crossbar.synthesis.published.search import Found, Mapper, search
from hwgen.crossbar.synthesis.published.tasks import Winner
from hwgen.crossbar.synthesis.result import Candidate, Chosen
from hwgen.crossbar.synthesis.work import from_design

METHODS: dict[str, Variant] = {"text": "text", "code": "code"}
"""The published search by the name that a person gives it: as described, or as shipped."""


def published_search(
    problem: Problem,
    *,
    method: str,
    identical: bool,
    evaluations: int | None,
    seed: int,
    mapper: Mapper,
) -> Found:
    """Return what a published search finds; genes are judged by the closed form."""
    macros: Macros = "identical" if identical else "specialized"
    search_of = PublishedSearch(variant=METHODS[method], macros=macros, exact=False)
    return search(problem, search_of, evaluations=evaluations, seed=seed, mapper=mapper)


def adopted(winner: Winner) -> Candidate:
    """Return a design of a published search as a candidate."""
    cost = winner.cost
    return Candidate(
        point=winner.point,
        chosen=Chosen(**from_design(winner.design)),
        efficiency_gops_per_w=cost.efficiency,
        energy_nj=cost.energy_nj,
        steps=int(cost.steps),
        step_ns=cost.step_ns,
        interval_steps=int(cost.interval),
        peak_w=cost.peak_w,
        memory=int(cost.memory),
    )
