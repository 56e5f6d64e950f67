"""Identical macros: all have as many of a component, and the budget is kept."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.allocate import (
    FEASIBLE,
    allocate,
    counts_at,
    layer_work,
    macros_alike,
    used_crossbars,
)
from hwgen.crossbar.model.design import Design, lay_out
from hwgen.crossbar.model.evaluate import evaluate, evaluate_identical
from hwgen.crossbar.model.record import confirm
from hwgen.crossbar.model.tables import ADC, CLOCK, FC, PEAK, RATE, RATIO, Tables, make_tables
from tests.crossbar.model.alexnet import ALEXNET

COMPONENTS = load_components(Path(__file__).parents[3] / "configs/crossbar/components.yaml")
RULES: tuple[Rules, ...] = (PUBLISHED, STRICT)
COPIES = np.array([100, 1, 24, 1, 7, 6, 6, 1, 1, 1, 1, 1])
MACROS = np.array([14, 0, 14, 0, 14, 7, 9, 0, 0, 6, 4, 1])


@pytest.fixture(params=RULES)
def case(request: pytest.FixtureRequest) -> tuple[Tables, Design]:
    strict = request.param == STRICT
    point = Point(rram_ratio=None if strict else 0.3, cell_bits=2, side=256, dac_bits=1)
    tables = make_tables(ALEXNET, COMPONENTS, point, 49.0, request.param)
    clocks = np.ones(len(COPIES), np.int64)
    if strict:
        clocks[tables.kind == FC] = 64
    return tables, Design(COPIES, MACROS, np.full(len(COPIES), -1), clocks)


@pytest.mark.promise(
    "identical macros have as many of everything, keep the budget, and are no faster"
)
def test_every_macro_has_as_many(case: tuple[Tables, Design]) -> None:
    tables, design = case
    layout = lay_out(tables, design)
    found = allocate(tables, design, layout, 0, True)
    assert found.failure == FEASIBLE
    weights = tables.crossbars > 0
    for component in range(ADC, found.counts.shape[1]):
        counts = found.counts[weights, component]
        each = counts[counts > 0] / layout.shared_macros[weights][counts > 0]
        assert len(set(each)) <= 1
        assert (each == np.round(each)).all()


def test_the_budget_is_kept_and_a_shorter_step_breaks_it(case: tuple[Tables, Design]) -> None:
    tables, design = case
    layout = lay_out(tables, design)
    found = allocate(tables, design, layout, 0, True)
    assert found.peak_w <= 49.0
    if tables.rules == PUBLISHED:
        rram = used_crossbars(tables, layout) * tables.crossbar[PEAK]
        assert found.peak_w - rram <= 49.0 * (1 - tables.scalars[RATIO])
    others = found.peak_w - float((found.counts * tables.parts[:, PEAK]).sum())
    work = layer_work(tables, design, layout)
    shorter = found.step_ns * 0.9
    if tables.rules.whole_clocks:
        shorter = found.step_ns - tables.scalars[CLOCK]
    alike = macros_alike(tables, design, layout)
    tight = counts_at(tables, design, layout, alike, work, shorter, True)
    share = 49.0 - others if tables.rules == STRICT else found.peak_w - others
    assert float((tight * tables.parts[:, PEAK]).sum()) > share


def test_all_work_is_done_in_a_step(case: tuple[Tables, Design]) -> None:
    tables, design = case
    layout = lay_out(tables, design)
    found = allocate(tables, design, layout, 0, True)
    work = layer_work(tables, design, layout)
    if tables.rules == PUBLISHED:
        work[tables.kind == FC] = 0
    done = found.counts[:, ADC:] * tables.parts[ADC:, RATE] * found.step_ns
    assert (done * (1 + 1e-12) >= work[:, ADC:]).all()


def test_it_is_never_faster_than_specialized(case: tuple[Tables, Design]) -> None:
    tables, design = case
    layout = lay_out(tables, design)
    specialized = allocate(tables, design, layout, 0, False)
    identical = allocate(tables, design, layout, 0, True)
    # Published counts round up without a look at the budget, so they may be a little slower.
    assert identical.step_ns >= specialized.step_ns * 0.999
    assert evaluate_identical(tables, design, True).efficiency < (
        evaluate(tables, design, True).efficiency * 1.001
    )


@pytest.mark.parametrize("rules", RULES)
def test_tables_say_whether_macros_are_identical(rules: Rules) -> None:
    strict = rules == STRICT
    point = Point(rram_ratio=None if strict else 0.3, cell_bits=2, side=256, dac_bits=1)
    given = ALEXNET, COMPONENTS, point, 49.0, rules
    plain, asked = make_tables(*given), make_tables(*given, identical=True)
    clocks = np.ones(len(COPIES), np.int64)
    if strict:
        clocks[plain.kind == FC] = 64
    design = Design(COPIES, MACROS, np.full(len(COPIES), -1), clocks)
    assert evaluate(asked, design, True) == evaluate_identical(plain, design, True)
    assert evaluate(asked, design, True) != evaluate(plain, design, True)
    confirmed = confirm(
        ALEXNET, COMPONENTS, point=point, rules=rules, power_w=49.0, design=design, identical=True
    )
    weights = plain.crossbars > 0
    per_macro = confirmed.allocation.counts[weights, ADC] / MACROS[weights]
    assert len(set(per_macro)) == 1
    assert confirmed.allocation.peak_w == confirmed.cost.peak_w <= 49.0


def test_too_little_power_is_said(case: tuple[Tables, Design]) -> None:
    tables, design = case
    tables.scalars[0] = 1.0
    assert allocate(tables, design, lay_out(tables, design), 0, True).failure != FEASIBLE
