"""The independent pieces of a search, as functions of JSON: any worker on any host can do them.

A piece names the problem whole, so that a worker needs nothing else; what it makes from that is
kept for the next piece of the same problem.
"""

from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import RRAM_RATIOS, Narrowed, Point, WithCells, point_of
from hwgen.crossbar.facts.rules import Objective, Rules
from hwgen.crossbar.model.allocate import FEASIBLE, floor_of, used_crossbars
from hwgen.crossbar.model.design import Design, lay_out
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.least import can_be, lowest_w, smallest_designs
from hwgen.crossbar.model.record import design_of
from hwgen.crossbar.model.tables import PEAK, POWER, Tables, make_tables
from hwgen.crossbar.synthesis.anneal import (
    REASONS,
    SHARES,
    anneal,
    climb,
    fits,
    judge,
    simple_design,
)
from hwgen.crossbar.synthesis.bound import Split, bound_node, grain_of, parts
from hwgen.crossbar.synthesis.moves import part, repair
from hwgen.crossbar.synthesis.nodes import Node, all_ranges, energy_target, node_at, price_in
from hwgen.crossbar.synthesis.paths import Cut, Needs, make_needs
from hwgen.crossbar.synthesis.scratchpads import Contents, make_contents

Json = dict[str, Any]

LONGEST_STEPS = 1e9
LONG_STEP, LONGEST_STEP_NS = 64.0, 1e12
"""A long pipeline step in floors, and the longest in ns. Beyond, the mesh alone leaks more than any
sensible design needs."""

KEPT = 256

LADDER, RUNGS = 0.94, 12
"""A design is tried with budgets of its peak power, each this part of the one before."""

ALONG = ("leave", "wait", "enter", "safe", "past", "reach")
"""What a path says of each layer."""


@lru_cache(maxsize=KEPT)
def tables_of(
    network: CrossbarNetwork,
    components: Components,
    point: Point,
    power_w: float,
    rules: Rules,
    objective: Objective,
    identical: bool,
) -> Tables:
    """Return the arrays of a network at a point."""
    args = network, components, point, power_w, rules, objective
    return make_tables(*args, identical=identical)


@lru_cache(maxsize=KEPT)
def facts_of(
    network: CrossbarNetwork,
    components: Components,
    point: Point,
    power_w: float,
    rules: Rules,
    objective: Objective,
    identical: bool,
) -> tuple[Contents, Needs]:
    """Return what bounds need of a network at a point."""
    tables = tables_of(network, components, point, power_w, rules, objective, identical)
    return make_contents(tables), make_needs(tables)


@lru_cache(maxsize=8)
def problem_of(text: str) -> tuple[CrossbarNetwork, Components]:
    """Return network and components from JSON."""
    kinds = tuple[CrossbarNetwork, Narrowed | WithCells | Components]
    return TypeAdapter(kinds).validate_json(text)


Problem = tuple[CrossbarNetwork, Components, Point, float, Rules, Objective, bool]


def opened(task: Json) -> Problem:
    """Return what a piece of work is about."""
    network, components = problem_of(task["problem"])
    point = point_of(task["point"])
    judged = Rules(*task["rules"]), task["objective"], task["identical"]
    return network, components, point, task["power_w"], *judged


def from_design(design: Design) -> Json:
    """Return the lists of a design."""
    return {name: getattr(design, name).tolist() for name in Design._fields}


def as_cut(given: Json) -> Cut:
    """Return a path from its lists."""
    arrays = {name: np.array(given[name]) for name in ALONG}
    return Cut(**(given | arrays))


def from_cut(cut: Cut) -> Json:
    """Return the lists of a path."""
    arrays = {name: getattr(cut, name).tolist() for name in ALONG}
    return cut._asdict() | arrays


def root_nodes(tables: Tables, ratio_low: float) -> list[Node]:
    """Return the nodes that together hold every design, with ratios up to that of the tables.

    The shortest step has a node of its own: there a step does not depend on what is bought.
    """
    grain, floor = grain_of(tables), floor_of(tables)
    long = LONG_STEP * floor
    first = node_at(tables, (1.0, LONGEST_STEPS), (floor, floor), 0)
    first = first._replace(most_memory=len(tables.memories) - 1, ratio_low=ratio_low)
    return [
        first,
        first._replace(step_low=floor + grain, step_high=long),
        first._replace(step_low=long + grain, step_high=LONGEST_STEP_NS),
    ]


def bound(task: Json) -> Json:
    """Bound a node, or its parts; return them and the designs that they point at.

    task: `node`, its `cuts`, `ranges` (null: all) and `split` (null: none); `whole`: the node
        itself; `target_price`: nothing above is of interest
    Returns `nodes`: each with `price`, `node`, `cuts`, `ranges`, `split`, `design`, and its
    `ratio`, `memory` and `height`; `narrow`: the node has no parts; `priced`: see `NodeBound`.
    """
    problem = opened(task)
    tables, (contents, needs) = tables_of(*problem), facts_of(*problem)
    node, cuts = Node(*task["node"]), [as_cut(cut) for cut in task["cuts"]]
    ranges = np.array(task["ranges"] or all_ranges(len(tables.kind)))
    nodes = [(node, ranges)]
    if not task["whole"]:
        split = None if task["split"] is None else Split(*task["split"])
        nodes = parts(node, ranges, split, grain=grain_of(tables))
    made, priced = [], 0
    for node, ranges in nodes:
        target = energy_target(tables, node, task["target_price"])
        entry: Json = {"price": task["target_price"], "node": list(node), "design": None}
        made.append(entry)
        if target == 0.0:
            continue
        found = bound_node(tables, contents, needs, node, target, cuts=cuts, ranges=ranges)
        priced += found.priced
        if found.energy < target:
            entry["price"] = price_in(tables, node, found.energy)
            entry["cuts"] = [from_cut(cut) for cut in found.cuts]
            entry["ranges"] = found.ranges.tolist()
            entry["split"] = found.split
            if found.design is not None:
                entry["design"] = from_design(found.design)
                own = at_ratio(problem, found.design, node)
                entry["ratio"] = own[2].rram_ratio
                fitting = fitting_memory(tables_of(*own), found.design, node)
                entry["memory"], entry["height"] = fitting
    return {"nodes": made, "narrow": not nodes, "priced": priced}


def at_ratio(problem: Problem, design: Design, node: Node) -> Problem:
    """Return the same problem at the least ratio of a node that holds the crossbars of a design."""
    network, components, point, power_w, rules, objective, identical = problem
    if point.rram_ratio is None:
        return problem
    tables = tables_of(*problem)
    rram = used_crossbars(tables, lay_out(tables, design)) * tables.crossbar[PEAK]
    ratio = node.ratio_high
    for each in RRAM_RATIOS:
        if node.ratio_low <= each < ratio and rram <= each * power_w:
            ratio = each
    at = replace(point, rram_ratio=ratio)
    return network, components, at, power_w, rules, objective, identical


def fitting_memory(tables: Tables, design: Design, node: Node) -> tuple[int, float]:
    """Return the scratchpads of a node, or those that a design asks for, and its height with them.

    A design that a relaxed problem points at may need larger scratchpads than those of its node.
    """
    best = node.memory, judge(tables, design, node.memory, np.inf)[1]
    asked = evaluate(tables, design, False)
    if asked.failure == FEASIBLE and asked.memory != node.memory:
        other = asked.memory, judge(tables, design, asked.memory, np.inf)[1]
        best = min(best, other, key=lambda pair: pair[1])
    return int(best[0]), float(best[1])


def search(task: Json) -> Json:
    """Anneal from one design, and confirm what was found exactly.

    task: `design`, `memory`, `evaluations`, `seed`, `hot` (the first threshold)
    Returns `design` and its exact `cost`, or null if nothing fits, the evaluations spent,
    and how many designs were `refused` for which reason.
    """
    tables = tables_of(*opened(task))
    design = design_of(**task["design"])
    if not task["sharing"]:
        for i in np.flatnonzero(design.partner >= 0):
            if design.partner[i] > i:
                part(design, int(i))
        repair(tables, design)
    refused: Counter[int] = Counter()
    found = anneal(
        tables,
        design,
        task["memory"],
        task["evaluations"],
        task["seed"],
        task["sharing"],
        task["hot"],
        refused,
    )
    return best_of(tables, found, task["evaluations"], len(found), refused)


def first(task: Json) -> Json:
    """Return the first simple design at a point that fits, as `search` does."""
    tables = tables_of(*opened(task))
    found: Json = {"design": None}
    for share in SHARES:
        if found["design"] is None:
            found = best_of(tables, [simple_design(tables, share)], 0, 1, Counter())
    return found


def small(task: Json) -> Json:
    """Return the first of the smallest designs at a point that fits, as `search` does."""
    tables = tables_of(*opened(task))
    known = lowest_w(tables) <= tables.scalars[POWER]
    designs = smallest_designs(tables) if known else iter(())
    if not task["sharing"]:
        designs = (each for each in designs if (each.partner < 0).all())
    fitting = (each for each in designs if can_be(tables, each))
    found = [each for each in [next(fitting, None)] if each is not None]
    return best_of(tables, found, 0, len(found), Counter())


def improve(task: Json) -> Json:
    """Search around one confirmed design; task and result are as those of `search`."""
    tables = tables_of(*opened(task))
    start = design_of(**task["design"])
    args = task["memory"], task["evaluations"], task["seed"], task["sharing"]
    refused: Counter[int] = Counter()
    design, exact = climb(tables, start, *args, refused)
    return best_of(tables, [design], task["evaluations"], exact, refused)


def descend(task: Json) -> Json:
    """Give one confirmed design the longer steps of smaller budgets; the result is as of `search`.

    task: `design`; `peak_w` and `efficiency_gops_per_w`, which it has
    Where the closed form, which is never slower, promises no more, nothing is simulated exactly.
    """
    network, components, point, power_w, rules, objective, identical = opened(task)
    args = network, components, point, power_w, rules, objective
    tables, design = make_tables(*args, identical=identical), design_of(**task["design"])
    least, exact = task["efficiency_gops_per_w"], 0
    best: Json = {"design": None, "cost": None}
    for rung in range(1, RUNGS + 1):
        tables.scalars[POWER] = task["peak_w"] * LADDER**rung
        if evaluate(tables, design, False).efficiency <= least:
            continue
        found = best_of(tables, [design], 0, 1, Counter())
        exact += 1
        if found["design"] is not None and found["cost"]["efficiency_gops_per_w"] > least:
            best, least = found, found["cost"]["efficiency_gops_per_w"]
    return {**best, "evaluations": 0, "exact_evaluations": exact, "refused": {}}


def best_of(
    tables: Tables, found: list[Design], evaluations: int, exact: int, refused: Counter[int]
) -> Json:
    """Return the result of a search that found some designs with so many evaluations.

    refused: how many had each verdict; those that fit are left out
    """
    spent: Json = {"evaluations": evaluations, "exact_evaluations": exact}
    spent["refused"] = {REASONS[key]: count for key, count in refused.items() if key in REASONS}
    costs = [evaluate(tables, design, True) for design in found]
    confirmed = [pair for pair in zip(found, costs, strict=True) if fits(tables, pair[1])]
    if not confirmed:
        return {"design": None, "cost": None, **spent}
    design, cost = max(confirmed, key=lambda pair: pair[1].efficiency)
    return {
        "design": from_design(design),
        "cost": {
            "budget_w": float(tables.scalars[POWER]),
            "efficiency_gops_per_w": cost.efficiency,
            "energy_nj": cost.energy_nj,
            "steps": int(cost.steps),
            "step_ns": cost.step_ns,
            "interval_steps": int(cost.interval),
            "peak_w": cost.peak_w,
            "memory": int(cost.memory),
        },
        **spent,
    }
