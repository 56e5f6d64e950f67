"""A whole published search as one piece of work: a function of JSON, for any executor."""

from typing import Any

from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.synthesis.published.method import Problem, PublishedSearch
from hwgen.crossbar.synthesis.published.search import search
from hwgen.crossbar.synthesis.work import from_design, problem_of

Json = dict[str, Any]


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
