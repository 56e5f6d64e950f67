"""The published rules give the figures that the published code gave for five designs of AlexNet."""

from dataclasses import replace

import pytest

from hwgen.crossbar.compiler import shipped_network
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.tables import operations_of
from tests.crossbar.model.alexnet import ALEXNET, POWER_W, ROWS, SIDE, Row, choice_of
from tests.crossbar.model.designs import case_of, compiled_of
from tests.crossbar.model.layers import conv
from verif.reference.crossbar import Case
from verif.reference.crossbar import evaluate as evaluate_by_the_book

HALF = 5.01e-7
"""Of the last digit that the sheet gives, 1e-9 of a figure."""


def case_of_row(row: Row, rules: Rules = PUBLISHED) -> Case:
    point = Point(rram_ratio=row.ratio, cell_bits=row.cell_bits, side=SIDE, dac_bits=row.dac_bits)
    return case_of(ALEXNET, point, POWER_W, rules, choice_of(row))


def test_the_network_that_ships_is_the_same() -> None:
    """All but the names of its layers."""
    ships = shipped_network("alexnet")
    layers = tuple(
        replace(one, name=other.name)
        for one, other in zip(ships.layers, ALEXNET.layers, strict=True)
    )
    assert replace(ships, layers=layers) == ALEXNET


@pytest.mark.parametrize("row", ROWS, ids=range(1, 6))
def test_reference(row: Row) -> None:
    case = case_of_row(row)
    found = evaluate_by_the_book(case)
    assert sum(1 for _ in case.dataflow.nodes()) == row.nodes
    assert found.failure == ""
    assert found.steps_by_round == row.steps
    assert found.kilobytes_by_round == row.kilobytes
    assert found.efficiency == pytest.approx(row.efficiency, abs=HALF)
    assert found.step_ns == pytest.approx(row.step_ns, abs=HALF)
    assert found.energy["components"] == pytest.approx(row.components_nj, abs=5e-3)
    assert found.energy["crossbars"] == pytest.approx(row.crossbars_nj, abs=5e-3)
    assert found.energy["accesses"] == pytest.approx(row.accesses_nj, abs=5e-3)
    time_ns = found.steps * found.step_ns
    assert found.energy["leakage"] / time_ns == pytest.approx(row.leakage_w, abs=HALF)
    assert found.converged == (row is not ROWS[4])


@pytest.mark.promise("the fast evaluator gives what the plain reference gives, event for event")
@pytest.mark.parametrize("row", ROWS, ids=range(1, 6))
def test_compiled(row: Row) -> None:
    tables, design = compiled_of(case_of_row(row))
    found = evaluate(tables, design, True)
    assert found.efficiency == pytest.approx(row.efficiency, abs=HALF)
    assert found.step_ns == pytest.approx(row.step_ns, abs=HALF)
    assert found.steps == row.steps[-1]
    assert found.converged == (row is not ROWS[4])


@pytest.mark.parametrize("row", ROWS, ids=range(1, 6))
def test_strict_rules(row: Row) -> None:
    """None can do in full in steps of 100 ns what the published rules leave out."""
    case = case_of_row(row, STRICT)
    found = evaluate_by_the_book(case)
    cost = evaluate(*compiled_of(case), True)
    for name in ("efficiency", "steps", "step_ns", "interval", "peak_w", "memory"):
        assert getattr(cost, name) == pytest.approx(getattr(found, name), rel=1e-12), name
    assert cost.step_ns > 100
    assert cost.peak_w <= POWER_W


def test_counts_of_the_first_row() -> None:
    """The sheet lists blocks, copies and ADCs of each layer of its first design."""
    case = case_of_row(ROWS[0])
    found = evaluate_by_the_book(case)
    blocks = [flow.blocks for flow in case.dataflow.layers]
    assert blocks == [29, 29, 29, 29, 25, 29, 25, 25, 25, 1, 1, 1]
    copies = [placed.copies for placed in case.plan.layers]
    assert copies == [105, 26, 26, 6, 7, 6, 7, 2, 2, 1, 1, 1]
    adcs = [layer.get("adc") for layer in found.counts]
    assert adcs == [4205, None, 3644, None, 1962, 1682, 1262, None, None, 1, 1, 1]


def test_published_operations_take_groups_for_dense() -> None:
    """Two groups of 2 of 4 channels, 8 filters of a pixel, 9 pixels: 2 x 2 x 8 x 9, twice that."""
    layers = (conv("conv", (), (4, 8), (3, 3), window=(1, 1, 0), groups=2),)
    network = CrossbarNetwork(name="groups", input_channels=4, input_side=3, layers=layers)
    assert operations_of(network, STRICT) == 288
    assert operations_of(network, PUBLISHED) == 576
