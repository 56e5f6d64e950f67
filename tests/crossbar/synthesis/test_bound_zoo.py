"""No random design of the five networks beats a bound: of nodes, and at length of searches."""

import random
from collections import Counter
from functools import cache

import numpy as np
import pytest

from hwgen.crossbar.compiler import shipped_network
from hwgen.crossbar.facts.point import RRAM_RATIOS, Point, points
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.tables import CONV, RATIO, Tables, make_tables
from hwgen.crossbar.synthesis.anneal import HOT, anneal, empty_design, fits
from hwgen.crossbar.synthesis.bound import bound_node, grain_of, is_wide, parts, width_of
from hwgen.crossbar.synthesis.moves import change, copy_design
from hwgen.crossbar.synthesis.nodes import COPIES_HIGH, COPIES_LOW, Node, all_ranges, scan
from hwgen.crossbar.synthesis.paths import Cut, make_needs
from hwgen.crossbar.synthesis.scratchpads import make_contents
from hwgen.crossbar.synthesis.search import synthesize
from hwgen.crossbar.synthesis.state import Budget
from hwgen.crossbar.synthesis.work import root_nodes
from hwgen.jobs.executors import SerialExecutor
from tests.crossbar.model.designs import COMPONENTS
from tests.crossbar.synthesis.judged import Judged, perturbed
from tests.crossbar.synthesis.test_useful import is_inside
from tests.rules import named

NETWORKS = ("alexnet", "vgg13", "vgg16", "msra", "resnet18")
WATTS = 49.0
ROUNDING = 1e-9
GOOD_POINTS = {
    PUBLISHED: (
        Point(rram_ratio=0.3, cell_bits=2, side=256, dac_bits=1),
        Point(rram_ratio=0.25, cell_bits=4, side=128, dac_bits=1),
    ),
    STRICT: (
        Point(rram_ratio=None, cell_bits=2, side=256, dac_bits=1),
        Point(rram_ratio=None, cell_bits=4, side=128, dac_bits=1),
    ),
}
"""Points at which many designs fit, and the best ones are."""

DESIGNS = 3
"""In the default run, at each point."""

RANDOM = 1000
"""In the long run, under each of two rules."""

DEEPEST, APART = 1.03, 3
"""A design is sought in nodes down to this width, and until it was told apart so often."""

TRIES = 20
"""Designs that are drawn for one that fits, at most."""


@cache
def tables_of(name: str, point: Point, rules: Rules) -> Tables:
    return make_tables(shipped_network(name), COMPONENTS, point, WATTS, rules)


def annealed(name: str, rules: Rules) -> Judged | None:
    """A good design, so that a target above it leaves much out; None: no random one fits."""
    rng = random.Random(f"{name} {named(rules)}")
    ratio = 0.3 if rules == PUBLISHED else None
    large = Point(rram_ratio=ratio, cell_bits=4, side=256, dac_bits=1)
    for point in (*GOOD_POINTS[rules], large):
        tables = tables_of(name, point, rules)
        for _ in range(5 * TRIES):
            start = perturbed(tables, rng)
            cost = evaluate(tables, start, False)
            if fits(tables, cost):
                found = anneal(tables, start, int(cost.memory), 1_000, 1, True, HOT, Counter())
                costs = [evaluate(tables, design, True) for design in found]
                for design, exact in zip(found, costs, strict=True):
                    if fits(tables, exact):
                        contents, needs = make_contents(tables), make_needs(tables)
                        return Judged(name, tables, contents, needs, design, exact)
    return None


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_from_node_to_node_a_design_is_never_left_out(name: str, rules: Rules) -> None:
    """Down from a root, with the ranges and paths that each node hands on to its parts."""
    given = annealed(name, rules)
    assert given is not None
    tables, cost = given.tables, given.cost
    facts, grain = (tables, given.contents, given.needs), grain_of(tables)
    roots = root_nodes(tables, float(tables.scalars[RATIO]))
    node = next(each for each in roots if each.step_low <= cost.step_ns <= each.step_high)
    cuts: list[Cut] = []
    ranges, split = all_ranges(len(tables.kind)), None
    widths, told_apart = [], 0
    while node is not None and (width_of(node) > DEEPEST or told_apart < APART):
        if not is_wide(node):
            found = bound_node(*facts, node, 1.001 * cost.energy_nj, cuts=cuts, ranges=ranges)
            assert found.energy <= cost.energy_nj * (1 + 1e-6), node
            assert is_inside(given, found.ranges), node
            cuts, ranges, split = found.cuts, found.ranges, found.split
            widths.append(
                int((ranges[COPIES_HIGH] - ranges[COPIES_LOW])[tables.kind == CONV].sum())
            )
        below = parts(node, ranges, split, grain=grain)
        inside = [part for part in below if holds(part[0], given) and is_inside(given, part[1])]
        told_apart += bool(below) and below[0][0] is below[1][0]
        node, ranges = inside[0] if inside else (None, ranges)
    assert told_apart > 0
    assert widths == sorted(widths, reverse=True) and widths[-1] < 0.9 * widths[0]


def holds(node: Node, given: Judged) -> bool:
    """Whether a node holds a design."""
    cost = given.cost
    return (
        node.steps_low <= cost.steps <= node.steps_high
        and node.step_low <= cost.step_ns <= node.step_high
        and node.memory <= cost.memory <= node.most_memory
        and node.ratio_low <= given.tables.scalars[RATIO] <= node.ratio_high
    )


@pytest.mark.dear("published-alexnet")
@pytest.mark.promise("no design beats the bound of a node that holds it")
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_nodes(name: str, rules: Rules) -> None:
    """The roots, and nodes of some percent; paths come from each other and from the relaxation."""
    rng = random.Random(f"{name} {named(rules)}")
    for point in GOOD_POINTS[rules]:
        tables = tables_of(name, point, rules)
        contents, needs = make_contents(tables), make_needs(tables)
        found: list[Judged] = []
        for _ in range(DESIGNS * TRIES):
            design = perturbed(tables, rng)
            if not fits(tables, evaluate(tables, design, False)):
                continue
            cost = evaluate(tables, design, True)
            if fits(tables, cost):
                found.append(Judged(name, tables, contents, needs, design, cost))
            if len(found) == DESIGNS:
                break
        cuts = [judged.cut for judged in found]
        for judged in found:
            cost = judged.cost
            allowed = cost.energy_nj * (1 + ROUNDING)
            assert scan(tables, judged.node(0.02)) <= allowed
            target = 3 * cost.energy_nj
            assert judged.bound(judged.node(0.02), target, cuts).energy <= allowed
        best = min(found, key=lambda each: each.cost.energy_nj, default=None)
        if best is None:
            continue
        for node in root_nodes(tables, min(RRAM_RATIOS)):
            if node.step_low <= best.cost.step_ns <= node.step_high:
                target = 3 * best.cost.energy_nj
                bound = best.bound(node, target).energy
                assert bound <= best.cost.energy_nj * (1 + ROUNDING)


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_ten_thousand(name: str, rules: Rules) -> None:
    """Half of the designs are drawn freely at any point, half near the best that a search found."""
    network = shipped_network(name)
    budget = Budget(evaluations=12_000, nodes=120)
    result = synthesize(
        network,
        COMPONENTS,
        power_w=WATTS,
        rules=rules,
        seed=1,
        budget=budget,
        executor=SerialExecutor(),
    )
    assert result is not None
    rng = random.Random(f"long {name} {named(rules)}")
    bounds = {each.point: each.bound_gops_per_w for each in result.points}
    chosen = result.best.chosen.as_json()
    best = Design(*(np.array(chosen[field], np.int64) for field in Design._fields))
    judged = 0
    while judged < RANDOM:
        near = judged % 2 == 0
        point = result.best.point if near else rng.choice(points(COMPONENTS, rules))
        tables = tables_of(name, point, rules)
        design = changed(tables, best, rng) if near else perturbed(tables, rng)
        judged += 1
        cost = evaluate(tables, design, False)
        if not fits(tables, cost) or cost.efficiency < 0.9 * bounds[point]:
            continue
        cost = evaluate(tables, design, True)
        if fits(tables, cost):
            assert cost.efficiency <= bounds[point] * (1 + ROUNDING)
            assert cost.efficiency <= result.bound_gops_per_w * (1 + ROUNDING)


def changed(tables: Tables, design: Design, rng: random.Random) -> Design:
    """A design some moves away from another."""
    moved: Design = empty_design(len(tables.kind))
    copy_design(design, moved)
    weighted = np.flatnonzero(tables.crossbars > 0)
    for _ in range(rng.randint(1, 6)):
        change(tables, moved, weighted, rng.choice((0.01, 0.05, 0.2)), True)
    return moved
