"""Random designs that fit, judged exactly; nodes around them; what each of their layers takes."""

import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.allocate import Allocation, allocate
from hwgen.crossbar.model.design import Design, Layout, lay_out
from hwgen.crossbar.model.evaluate import Cost, evaluate
from hwgen.crossbar.model.pipeline import Pipeline, make_pipeline
from hwgen.crossbar.model.tables import CONV, FC, FLOOR, Tables
from hwgen.crossbar.model.timing import Times, closed_form
from hwgen.crossbar.synthesis.anneal import fits, simple_design
from hwgen.crossbar.synthesis.bound import NodeBound, bound_node
from hwgen.crossbar.synthesis.choices import Choices, make_choices
from hwgen.crossbar.synthesis.moves import join, repair
from hwgen.crossbar.synthesis.nodes import Node, all_ranges, node_at
from hwgen.crossbar.synthesis.paths import Cut, Needs, Way, critical_cut, make_needs, way_of
from hwgen.crossbar.synthesis.scratchpads import Contents, make_contents
from tests.crossbar.model.designs import compiled_of
from tests.crossbar.model.random_designs import random_case
from tests.rules import named


class Judged(NamedTuple):
    """A design that fits into its budget, its exact cost, and what a search knows of its tables."""

    name: str
    tables: Tables
    contents: Contents
    needs: Needs
    design: Design
    cost: Cost

    @property
    def layout(self) -> Layout:
        return lay_out(self.tables, self.design)

    @property
    def allocation(self) -> Allocation:
        return allocate(self.tables, self.design, self.layout, self.cost.memory, False)

    @property
    def pipeline(self) -> Pipeline:
        design = self.design
        step_ns = self.cost.step_ns
        return make_pipeline(self.tables, self.layout, design.clocks, self.cost.memory, step_ns)

    @property
    def times(self) -> Times:
        return closed_form(self.tables, self.layout, self.pipeline)

    @property
    def way(self) -> Way:
        return way_of(self.tables, self.needs, self.layout, self.pipeline)

    @property
    def cut(self) -> Cut:
        """Its own critical path."""
        return critical_cut(self.way)

    def node(self, share: float) -> Node:
        """A node around it, off its middle."""
        cost = self.cost
        steps = cost.steps * (1 - share), cost.steps * (1 + share / 2)
        step_low = max(cost.step_ns * (1 - share), self.tables.scalars[FLOOR])
        step_ns = step_low, cost.step_ns * (1 + share)
        return node_at(self.tables, steps, step_ns, int(cost.memory))

    def choices(self, share: float) -> Choices:
        ranges = all_ranges(len(self.tables.kind))
        return make_choices(self.tables, self.contents, self.node(share), ranges)

    def bound(self, node: Node, target: float, cuts: list[Cut] | None = None) -> NodeBound:
        """The bound of a node that looks at everything."""
        facts = self.tables, self.contents, self.needs
        ranges = all_ranges(len(self.tables.kind))
        return bound_node(*facts, node, target, cuts=cuts or [], ranges=ranges)


def judged(name: str, tables: Tables, design: Design) -> Judged | None:
    """A design with its exact cost; None if it does not fit."""
    cost = evaluate(tables, design, True)
    if not fits(tables, cost):
        return None
    return Judged(name, tables, make_contents(tables), make_needs(tables), design, cost)


def small(rules: Rules, seeds: range) -> Iterator[Judged]:
    """Designs of random networks with random components."""
    for seed in seeds:
        tables, design = compiled_of(random_case(seed, rules))
        found = judged(f"{named(rules)} {seed}", tables, design)
        if found is not None:
            yield found


def perturbed(tables: Tables, rng: random.Random) -> Design:
    """A design that may well fit: proportional copies, each changed; macros, pairs, clocks."""
    design: Design = simple_design(tables, rng.uniform(0.03, 0.3))
    spread = rng.choice((0.0, 0.1, 0.5))
    most = rng.choice((1, 2, 4, 12))
    weighted = [int(i) for i in np.flatnonzero(tables.crossbars > 0)]
    for i in weighted:
        if tables.kind[i] == CONV:
            wanted = round(design.copies[i] * rng.uniform(1 - spread, 1 + spread))
            design.copies[i] = min(max(1, wanted), tables.pixels[i])
        elif tables.kind[i] == FC and tables.rules.used_columns:
            design.clocks[i] = max(1, round(design.clocks[i] * rng.uniform(0.3, 3)))
        design.macros[i] = rng.randint(1, most)
    rng.shuffle(weighted)
    while len(weighted) > 1 and rng.random() < 0.6:
        join(design, weighted.pop(), weighted.pop())
    repair(tables, design)
    return design


def neighbours_of(given: Judged, count: int = 2) -> list[Judged]:
    """Other designs of the same network that need not fit: their paths are as good as any."""
    rng = random.Random(given.name)
    made = []
    for _ in range(count):
        made.append(given._replace(design=perturbed(given.tables, rng)))
    return made
