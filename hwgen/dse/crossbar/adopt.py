"""Designs of the published search as candidates of ours: they are set beside the same bound."""

from hwgen.dse.crossbar.published.duplication import Variant
from hwgen.dse.crossbar.published.method import Problem, PublishedSearch
from hwgen.dse.crossbar.published.search import search
from hwgen.dse.crossbar.result import Candidate, Chosen
from hwgen.dse.crossbar.work import from_design
from hwgen.spec.crossbar.components import Components
from hwgen.spec.crossbar.network import CrossbarNetwork
from hwgen.spec.crossbar.point import Rules

METHODS: dict[str, Variant] = {"text": "text", "code": "code"}
"""The published search by the name that a person gives it: as described, or as shipped."""


def published_design(
    network: CrossbarNetwork,
    components: Components,
    *,
    power_w: float,
    rules: Rules,
    seed: int,
    method: str,
    evaluations: int | None,
) -> tuple[Candidate | None, int]:
    """Return the best design of a published search and the evaluations that it took."""
    problem = Problem(network=network, components=components, power_w=power_w, rules=rules)
    found = search(
        problem, PublishedSearch(variant=METHODS[method]), evaluations=evaluations, seed=seed
    )
    if found.best is None:
        return None, found.evaluations
    cost = found.best.cost
    candidate = Candidate(
        point=found.best.point,
        chosen=Chosen(**from_design(found.best.design)),
        efficiency_gops_per_w=cost.efficiency,
        energy_nj=cost.energy_nj,
        steps=int(cost.steps),
        step_ns=cost.step_ns,
        interval_steps=int(cost.interval),
        peak_w=cost.peak_w,
        memory=int(cost.memory),
    )
    return candidate, found.evaluations
