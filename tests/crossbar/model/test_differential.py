"""Designs of differential cells cost what the evaluator by the book says."""

import random
from dataclasses import replace

import pytest

from hwgen.crossbar.facts.holdings import cut_of
from hwgen.crossbar.facts.layout import tiles_of
from hwgen.crossbar.facts.point import points, with_cells
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.allocate import FEASIBLE
from hwgen.crossbar.model.evaluate import evaluate
from tests.crossbar.model.designs import case_of, compiled_of
from tests.crossbar.model.layers import conv
from tests.crossbar.model.random_designs import (
    random_choice,
    random_components,
    random_network,
    with_raw_answers,
)
from tests.crossbar.model.test_exact import check
from verif.reference.crossbar import Case


def drawn(seed: int) -> Case:
    """Return a random design of differential cells."""
    rng = random.Random(f"pairs {seed}")
    network = with_raw_answers(rng, random_network(rng))
    components = with_cells(random_components(rng), ["differential"])
    point = rng.choice(points(components, STRICT))
    assert point.pairs
    choice = random_choice(rng, network, point.side, STRICT, 0.5)
    return case_of(network, point, 200.0, STRICT, choice, components=components)


@pytest.mark.promise("a design of differential cells costs the same by both evaluators")
def test_both_evaluators_agree() -> None:
    found = 0
    for seed in range(8):
        case = drawn(seed)
        check(case, events=True)
        found += evaluate(*compiled_of(case), True).failure == FEASIBLE
    assert found > 3


def test_a_crossbar_has_half_as_many_columns_of_weights() -> None:
    """40 channels of 9 x 3 rows on crossbars of 64: one tile, or two of 32 and 8."""
    layer = conv("c", (), (3, 40), (4, 4), window=(3, 1, 1))
    for pairs, widths in ((False, [40]), (True, [32, 8])):
        cut = cut_of(layer, 64, 4, pairs=pairs)
        assert [cut.columns_of(0, tile) for tile in range(cut.column_tiles)] == widths
        assert tiles_of(layer, 64, STRICT, pairs=pairs) == (27, 1, len(widths))
    grouped = replace(layer, in_channels=40, groups=40)
    assert [cut_of(grouped, 64, 4, pairs=pairs).groups_together for pairs in (False, True)] == [
        7,
        7,
    ]
    assert cut_of(grouped, 8, 4, pairs=True).groups_together == 1
