"""The size of the design space: every design of a small network, counted one by one."""

import math
from itertools import product

import pytest
from hwgen_studies.pimsyn_paper.published_search.search import decades, designs_at

from hwgen.crossbar.model.tables import CONV, PEAK, POWER, RATIO, Tables
from studies.tests.pimsyn_paper.published_search.cases import DENSE, SMALL, problem, tables_of


def counted(tables: Tables, *, macros: bool) -> int:
    """Return the designs that keep to Eq. 2 and 3, one after the other."""
    budget = tables.scalars[POWER] * tables.scalars[RATIO] / tables.crossbar[PEAK]
    choices = [
        range(1, pixels + 1 if kind == CONV else 2)
        for kind, pixels in zip(tables.kind.tolist(), tables.pixels.tolist(), strict=True)
    ]
    found = 0
    for copies in product(*choices):
        if sum(copies * tables.crossbars) <= budget:
            found += math.prod((copies * tables.row_tiles).tolist()) if macros else 1
    return found


@pytest.mark.parametrize("macros", [False, True])
@pytest.mark.parametrize("power_w", [0.9, 1.0, 1.3])
def test_every_design_counts_once(power_w: float, macros: bool) -> None:
    tables = tables_of(SMALL, power_w=power_w)
    found = designs_at(tables, macros=macros)
    assert found == counted(tables, macros=macros) > 0


def test_points_add_up() -> None:
    given = problem(SMALL, power_w=1.0)
    every = [designs_at(given.tables(point), macros=True) for point in given.points()]
    assert decades(given, macros=True) == pytest.approx(math.log10(sum(every)))
    assert decades(given, macros=True) > decades(given, macros=False)


def test_nothing_fits() -> None:
    assert decades(problem(DENSE, power_w=1e-6), macros=True) == -math.inf
