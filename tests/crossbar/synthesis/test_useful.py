"""What a bound leaves out: never a design below its target, and much of what is above."""

import numpy as np
import pytest

from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.design import owner_of
from hwgen.crossbar.model.tables import CONV, FC, Ints
from hwgen.crossbar.synthesis.bound import bound_node
from hwgen.crossbar.synthesis.nodes import (
    CLOCKS_HIGH,
    CLOCKS_LOW,
    COPIES_HIGH,
    COPIES_LOW,
    MACROS_HIGH,
    PARTNERS,
    all_ranges,
)
from hwgen.crossbar.synthesis.relaxed import ranges_of
from tests.crossbar.synthesis.judged import Judged, small

RULES = [PUBLISHED, STRICT]
SEEDS = range(60)


def is_inside(given: Judged, ranges: Ints) -> bool:
    """Whether a design is within ranges."""
    tables, design = given.tables, given.design
    for i in np.flatnonzero(tables.crossbars > 0):
        copies = design.copies[i] if tables.kind[i] == CONV else 1
        macros = design.macros[owner_of(design.partner, i)]
        clocks = design.clocks[i] if tables.kind[i] == FC and tables.rules == STRICT else 1
        low, high = ranges[:, i][[COPIES_LOW, CLOCKS_LOW]], ranges[:, i][[COPIES_HIGH, CLOCKS_HIGH]]
        if not (low <= [copies, clocks]).all() or not ([copies, clocks] <= high).all():
            return False
        partner = design.partner[i] if design.partner[i] >= 0 else i
        if macros > ranges[MACROS_HIGH, i] or not ranges[PARTNERS + i, partner]:
            return False
    return True


@pytest.mark.dear("1.01-published")
@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("above", [1.0001, 1.01, 1.1])
def test_a_design_below_the_target_is_never_left_out(rules: Rules, above: float) -> None:
    for given in small(rules, SEEDS):
        node, target = given.node(0.02), above * given.cost.energy_nj
        found = given.bound(node, target, [given.cut])
        assert found.energy < target, given.name
        assert is_inside(given, found.ranges), given.name


@pytest.mark.parametrize("rules", RULES)
def test_ranges_are_handed_on(rules: Rules) -> None:
    """A node within the ranges of that around it is bounded as high, and still holds a design."""
    for given in small(rules, SEEDS):
        node, target = given.node(0.02), 1.01 * given.cost.energy_nj
        facts = given.tables, given.contents, given.needs
        first = given.bound(node, target)
        again = bound_node(*facts, node, target, cuts=[], ranges=first.ranges)
        assert again.energy <= given.cost.energy_nj * (1 + 1e-6), given.name
        low = [COPIES_LOW, CLOCKS_LOW]
        assert (again.ranges[low] >= first.ranges[low]).all()
        high = [COPIES_HIGH, MACROS_HIGH, CLOCKS_HIGH]
        assert (again.ranges[high] <= first.ranges[high]).all()
        assert is_inside(given, again.ranges), given.name


@pytest.mark.parametrize("rules", RULES)
def test_a_closer_target_leaves_more_out(rules: Rules) -> None:
    """What is worth something grows with the target; with one far away everything is."""
    fewer = 0
    for given in small(rules, SEEDS):
        node = given.node(0.02)
        near = given.bound(node, 1.001 * given.cost.energy_nj).ranges
        far = given.bound(node, 1e4 * given.cost.energy_nj).ranges
        widths = [ranges[COPIES_HIGH] - ranges[COPIES_LOW] for ranges in (near, far)]
        assert (widths[0] <= widths[1]).all(), given.name
        fewer += (widths[0] < widths[1]).any() or (near[MACROS_HIGH] < far[MACROS_HIGH]).any()
    assert fewer >= 5


def test_nothing_is_left_of_a_node_without_choices() -> None:
    given = next(small(STRICT, SEEDS))
    ranges = all_ranges(len(given.tables.kind))
    ranges[COPIES_HIGH] = 0
    facts = given.tables, given.contents, given.needs
    found = bound_node(*facts, given.node(0.02), 7.0, cuts=[], ranges=ranges)
    assert found.energy == 7.0


@pytest.mark.parametrize("rules", RULES)
def test_a_choice_stands_for_all_up_to_the_next(rules: Rules) -> None:
    """Of one choice that is kept, exactly what no other choice stands for is in the ranges."""
    checked = 0
    for given in small(rules, range(20)):
        rows, known = given.choices(0.02), all_ranges(len(given.tables.kind))
        for i in np.flatnonzero(given.tables.crossbars > 0):
            span = range(rows.begin[i], rows.begin[i + 1])
            for c in list(span)[:: max(1, len(span) // 7)]:
                kept = np.zeros(len(rows.macros), np.bool_)
                kept[c] = True
                ranges = ranges_of(rows, kept, known)[:, i]
                alike = [d for d in span if rows.copies_low[d] == rows.copies_low[c]]
                for macros in range(int(rows.macros[c]), int(rows.macros[c]) + 40):
                    same = [d for d in alike if rows.clocks[d] == rows.clocks[c]]
                    last = max(d for d in same if rows.macros[d] <= macros)
                    assert (last == c) == (macros <= ranges[MACROS_HIGH])
                for clocks in range(int(rows.clocks[c]), int(rows.clocks[c]) + 40):
                    last = max(rows.clocks[d] for d in alike if rows.clocks[d] <= clocks)
                    assert (last == rows.clocks[c]) == (clocks <= ranges[CLOCKS_HIGH])
                assert ranges[CLOCKS_LOW] == rows.clocks[c]
                assert ranges[COPIES_LOW] == rows.copies_low[c]
                assert ranges[COPIES_HIGH] == rows.copies_high[c]
                checked += 1
    assert checked > 50
