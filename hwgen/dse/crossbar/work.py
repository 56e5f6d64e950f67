"""The independent pieces of a search, as functions of JSON: any worker on any host can do them.

A piece names the problem whole, so that a worker needs nothing else; what it makes from that is
kept for the next piece of the same problem.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from hwgen.dse.crossbar.anneal import Found, anneal, fits, height
from hwgen.dse.crossbar.bound import bound_box, halves
from hwgen.dse.crossbar.boxes import Box
from hwgen.dse.crossbar.cuts import Cut, Needs, make_needs
from hwgen.dse.crossbar.held import Held, make_held
from hwgen.dse.crossbar.moves import part, repair
from hwgen.dse.crossbar.pricing import cheapest
from hwgen.model.compiled import is_compiled
from hwgen.model.crossbar.allocate import FEASIBLE
from hwgen.model.crossbar.design import Design
from hwgen.model.crossbar.evaluate import evaluate, evaluate_at
from hwgen.model.crossbar.record import design_of
from hwgen.model.crossbar.tables import FLOOR, OPERATIONS, Tables, make_tables
from hwgen.spec.crossbar.components import Components
from hwgen.spec.crossbar.network import CrossbarNetwork
from hwgen.spec.crossbar.point import Point, Rules

Json = dict[str, Any]

LONGEST_STEPS = 1e9
LONG_STEP, LONGEST_STEP_NS = 64.0, 1e12
"""A long pipeline step in floors, and the longest in ns. Beyond, the mesh alone leaks more than any
sensible design needs."""

KEPT = 256

ALONG = ("leave", "wait", "enter", "safe", "reach")
"""What a path says of each layer."""


@lru_cache(maxsize=KEPT)
def tables_of(
    network: CrossbarNetwork, components: Components, point: Point, power_w: float, rules: Rules
) -> tuple[Tables, Held, Needs]:
    """Return the arrays of a network at a point, and what bounds need of them."""
    tables = make_tables(network, components, point, power_w, rules)
    return tables, make_held(tables), make_needs(tables)


@lru_cache(maxsize=8)
def problem_of(text: str) -> tuple[CrossbarNetwork, Components]:
    """Return network and components from JSON."""
    return TypeAdapter(tuple[CrossbarNetwork, Components]).validate_json(text)


def opened(task: Json) -> tuple[Tables, Held, Needs]:
    """Return the arrays that a piece of work is about."""
    network, components = problem_of(task["problem"])
    return tables_of(network, components, Point(**task["point"]), task["power_w"], task["rules"])


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


def root_boxes(tables: Tables, memory: int) -> list[Box]:
    """Return the boxes that together hold every design with one size of scratchpads.

    The shortest step has a box of its own: there a step does not depend on what is bought.
    """
    floor = float(tables.scalars[FLOOR])
    long = LONG_STEP * floor
    return [
        Box(1.0, LONGEST_STEPS, floor, floor, memory),
        Box(1.0, LONGEST_STEPS, floor, long, memory),
        Box(1.0, LONGEST_STEPS, long, LONGEST_STEP_NS, memory),
    ]


def bound(task: Json) -> Json:
    """Bound a box, or its halves; return them and the designs that they point at.

    task: `box` and its `cuts`; `whole`: the box itself; `target_nj`: nothing above is of interest
    Returns `boxes`: each with `energy_nj`, `box`, `cuts`, `design`, `memory` and `height_nj`;
    `narrow`: the box cannot be split; `priced`: see `BoxBound`.
    """
    tables, held, needs = opened(task)
    box, cuts = Box(*task["box"]), [as_cut(cut) for cut in task["cuts"]]
    boxes = [box] if task["whole"] else halves(box)
    made, priced = [], 0
    for box in boxes:
        found = bound_box(tables, held, needs, box, cuts, task["target_nj"])
        entry: Json = {"energy_nj": found.energy, "box": list(box), "design": None}
        if found.energy < task["target_nj"]:
            entry["cuts"] = [from_cut(cut) for cut in found.cuts]
            if found.design is not None:
                entry["design"] = from_design(found.design)
                entry["memory"], entry["height_nj"] = fitting_memory(tables, found.design, box)
        made.append(entry)
        priced += found.priced
    return {"boxes": made, "narrow": not boxes, "priced": priced}


def fitting_memory(tables: Tables, design: Design, box: Box) -> tuple[int, float]:
    """Return the scratchpads of a box, or those that a design asks for, and its height with them.

    A design that a relaxed problem points at may need larger scratchpads than those of its box.
    """
    cost, kilobytes = evaluate_at(tables, design, box.memory)
    best = box.memory, height(tables, cost, kilobytes)
    asked = evaluate(tables, design, False)
    if asked.failure == FEASIBLE and asked.memory != box.memory:
        cost, kilobytes = evaluate_at(tables, design, asked.memory)
        other = asked.memory, height(tables, cost, kilobytes)
        best = min(best, other, key=lambda pair: pair[1])
    return int(best[0]), float(best[1])


def search(task: Json) -> Json:
    """Anneal from one design, and confirm what was found exactly.

    task: `design`, `memory`, `evaluations`, `seed`, `hot` (the first threshold)
    Returns `design` and its exact `cost`, or null if nothing fits, and the evaluations spent.
    """
    tables, _, _ = opened(task)
    design = design_of(**task["design"])
    if not task["sharing"]:
        for i in np.flatnonzero(design.mate >= 0):
            if design.mate[i] > i:
                part(design, int(i))
        repair(tables, design)
    found: Found = anneal(
        tables,
        design,
        task["memory"],
        task["evaluations"],
        task["seed"],
        task["sharing"],
        task["hot"],
    )
    spent = {"evaluations": task["evaluations"], "exact_evaluations": 1}
    cost = evaluate(tables, found.design, True)
    if not fits(tables, cost):
        return {"design": None, "cost": None, **spent}
    return {
        "design": from_design(found.design),
        "cost": {
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


def operations(task: Json) -> float:
    """Return the operations of an image at a point."""
    return float(opened(task)[0].scalars[OPERATIONS])


def must_compile() -> bool:
    """Return whether the first pieces will take a minute or two more, because they compile."""
    return not (is_compiled(anneal) and is_compiled(cheapest))
