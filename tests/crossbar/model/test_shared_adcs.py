"""Layers that take turns at shared ADCs, block by block, against the simulation step by step."""

import numpy as np
import pytest

from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.conflicts import conflicts, take_turns
from hwgen.crossbar.model.design import Design, Layout
from hwgen.crossbar.model.exact import exact_times
from hwgen.crossbar.model.pipeline import Pipeline
from hwgen.crossbar.model.tables import Tables
from hwgen.crossbar.model.timing import (
    Times,
    closed_done,
    closed_form,
    needed_blocks,
    provider_block,
)
from tests.crossbar.model.buildable import buildable

RULES = [PUBLISHED, STRICT]
SEEDS = range(300)
FIELDS = ("load", "adc", "store", "done", "end", "interval")


def ways(rules: Rules) -> list[tuple[Tables, Design, Layout, Pipeline]]:
    """Random designs that can be built."""
    return buildable(rules, SEEDS)


def turns_of(tables: Tables, layout: Layout, pipeline: Pipeline, partner: np.ndarray) -> Times:
    needed = needed_blocks(tables, layout)
    done = closed_done(tables, layout, pipeline, needed)
    return take_turns(tables, layout, pipeline, needed, partner, done)


def assert_same(one: Times, two: Times, seed: int) -> None:
    for name in FIELDS:
        assert np.array_equal(getattr(one, name), getattr(two, name)), (seed, name)


@pytest.mark.parametrize("rules", RULES)
def test_without_partners_it_is_the_closed_form(rules: Rules) -> None:
    for seed, (tables, design, layout, pipeline) in enumerate(ways(rules)):
        alone = np.full(len(design.partner), -1)
        closed = closed_form(tables, layout, pipeline)
        assert_same(turns_of(tables, layout, pipeline, alone), closed, seed)
        done = closed_done(tables, layout, pipeline, needed_blocks(tables, layout))
        assert np.array_equal(done, closed.done)


@pytest.mark.parametrize("rules", RULES)
def test_where_no_link_is_common_it_is_the_exact_simulation(rules: Rules) -> None:
    """Every block of every layer, in designs whose pairs really wait for each other."""
    late = 0
    for seed, (tables, design, layout, pipeline) in enumerate(ways(rules)):
        if conflicts(tables, layout).any():
            continue
        exact = exact_times(tables, layout, pipeline, design.partner)
        assert_same(turns_of(tables, layout, pipeline, design.partner), exact, seed)
        late += exact.end > closed_form(tables, layout, pipeline).end
    assert late >= 3


@pytest.mark.parametrize("rules", RULES)
def test_links_make_little_difference(rules: Rules) -> None:
    """With links that are common it is no more than an estimate, and a good one."""
    errors = []
    for tables, design, layout, pipeline in ways(rules):
        exact = exact_times(tables, layout, pipeline, design.partner).end
        errors.append(turns_of(tables, layout, pipeline, design.partner).end / exact - 1)
    assert np.mean(np.abs(errors)) < 0.02


@pytest.mark.parametrize("rules", RULES)
def test_needed_blocks(rules: Rules) -> None:
    for tables, _, layout, _ in ways(rules)[:40]:
        needed = needed_blocks(tables, layout)
        for i in range(len(tables.kind)):
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                wanted = [
                    provider_block(tables, layout, i, block, tables.provider[e])
                    for block in range(layout.blocks[i])
                ]
                found = needed.block[needed.first[e] : needed.first[e + 1]]
                assert found.tolist() == wanted
