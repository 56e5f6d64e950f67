"""Random changes of a design: everything that they may do is done, and nothing else."""

import numpy as np
import pytest

from hwgen.chip.compiled import compiled
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.design import Design, lay_out
from hwgen.crossbar.model.evaluate import within_limits
from hwgen.crossbar.model.tables import CONV
from hwgen.crossbar.synthesis.anneal import empty_design
from hwgen.crossbar.synthesis.moves import change, copy_design, join, reshare, step_copies
from tests.crossbar.synthesis.judged import small


def two_pairs() -> Design:
    design: Design = empty_design(5)
    join(design, 0, 1)
    join(design, 2, 3)
    return design


@compiled
def seed(value: int) -> None:
    """Compiled code has random numbers of its own."""
    np.random.seed(value)


def partners_are_mutual(design: Design) -> bool:
    partner = design.partner
    return all(partner[j] == i and i != j for i, j in enumerate(partner) if j >= 0)


def test_every_way_to_share_is_tried() -> None:
    """Partners are exchanged, layers join, and pairs part."""
    seen = set()
    seed(1)
    for turn in range(400):
        design = two_pairs()
        reshare(design, np.arange(5), turn % 5)
        assert partners_are_mutual(design)
        seen.add(tuple(design.partner.tolist()))
    assert (2, 3, 0, 1, -1) in seen and (3, 2, 1, 0, -1) in seen
    assert (-1, -1, 3, 2, -1) in seen
    assert (4, -1, 3, 2, 0) in seen


@pytest.mark.promise("a search reaches every neighbour of a layer in copies")
def test_every_neighbour_in_copies_is_reached() -> None:
    """One copy less and one more, down to one; those that give as many blocks are skipped."""
    given = next(small(STRICT, range(20)))
    tables = given.tables._replace(
        pixels=np.full(len(given.tables.kind), 9), kind=np.full(len(given.tables.kind), CONV)
    )
    wanted = {1: {1, 2}, 2: {1, 3}, 3: {2, 5}, 5: {3, 9}, 9: {5, 9}}
    seed(3)
    for copies, neighbours in wanted.items():
        found = set()
        for _ in range(30):
            design: Design = empty_design(len(tables.kind))
            design.copies[0] = copies
            step_copies(tables, design, 0)
            found.add(int(design.copies[0]))
        assert found == neighbours, copies


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_a_change_can_be_built(rules: Rules) -> None:
    """A hundred changes in a row keep partners mutual and macros within their limits."""
    seed(2)
    for given in small(rules, range(20)):
        tables = given.tables
        design: Design = empty_design(len(tables.kind))
        copy_design(given.design, design)
        weighted = np.flatnonzero(tables.crossbars > 0)
        for _ in range(100):
            change(tables, design, weighted, 0.3, True)
            assert partners_are_mutual(design), given.name
            assert within_limits(tables, design, lay_out(tables, design)), given.name
