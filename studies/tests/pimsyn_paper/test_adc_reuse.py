"""Pairs of convolutions that share their ADCs: what it delays, and how many it saves."""

from pathlib import Path

import numpy as np
import pytest
from hwgen_studies.pimsyn_paper.adc_reuse import parted, reuse

from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.tables import FC, Tables, make_tables
from tests.crossbar.model.alexnet import ALEXNET

COMPONENTS = load_components(Path(__file__).parents[3] / "configs/crossbar/components.yaml")
RULES: tuple[Rules, ...] = (PUBLISHED, STRICT)
COPIES = np.array([100, 1, 24, 1, 7, 6, 6, 1, 1, 1, 1, 1])
MACROS = np.array([14, 0, 14, 0, 14, 7, 9, 0, 0, 6, 4, 1])
ALONE = np.full(len(COPIES), -1)


def case(rules: Rules) -> tuple[Tables, Design]:
    strict = rules == STRICT
    point = Point(rram_ratio=None if strict else 0.3, cell_bits=2, side=256, dac_bits=1)
    tables = make_tables(ALEXNET, COMPONENTS, point, 49.0, rules)
    clocks = np.where((tables.kind == FC) & strict, 64, 1)
    return tables, Design(COPIES, MACROS, ALONE, clocks)


@pytest.mark.parametrize("rules", RULES)
def test_sharing_delays_and_saves(rules: Rules) -> None:
    tables, design = case(rules)
    cost = evaluate(tables, design, True)
    found = reuse(tables, design, cost.memory, cost.step_ns)
    assert sorted(each.distance for each in found) == [1, 1, 1, 1, 2, 2, 2, 3, 3, 4]
    assert {each.span for each in found} == {4}
    assert all(0.5 < each.adcs < 1 for each in found)
    assert any(each.delay > 1.01 for each in found)
    assert all(0.9 < each.delay < 3 for each in found)


def test_pairs_that_a_design_has_are_parted_first() -> None:
    tables, design = case(STRICT)
    cost = evaluate(tables, design, True)
    partner, macros = ALONE.copy(), MACROS.copy()
    partner[0], partner[2], macros[2] = 2, 0, 0
    macros[0] = 14
    shared = design._replace(partner=partner, macros=macros)
    assert (parted(tables, shared).macros == MACROS).all()
    assert (parted(tables, shared).partner == -1).all()
    args = cost.memory, cost.step_ns
    assert reuse(tables, shared, *args) == reuse(tables, design, *args)
