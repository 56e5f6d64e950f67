"""No design beats the bound where maps are not square, dilated or multiplied."""

import pytest

from hwgen.crossbar.synthesis.nodes import scan
from hwgen.crossbar.synthesis.scratchpads import capacity_elements, least_inputs
from tests.crossbar.model.designs import compiled_of
from tests.crossbar.model.wide_designs import wide_case
from tests.crossbar.synthesis.judged import judged, neighbours_of

ROUNDING = 1e-9
BATCHES = [range(start, start + 25) for start in range(0, 50, 25)]


@pytest.mark.promise("no design beats the bound of a node that holds it")
@pytest.mark.parametrize("batch", BATCHES)
def test_no_design_beats_the_bound(batch: range) -> None:
    judged_ones = 0
    for seed in batch:
        given = judged(f"wide {seed}", *compiled_of(wide_case(seed)))
        if given is None:
            continue
        judged_ones += 1
        allowed = given.cost.energy_nj * (1 + ROUNDING)
        cuts = [given.cut, *(each.cut for each in neighbours_of(given))]
        for node in (given.node(0.02), given.node(1e-4)):
            assert scan(given.tables, node) <= allowed, given.name
            bound = given.bound(node, 10 * given.cost.energy_nj, cuts)
            assert bound.energy <= allowed, (given.name, node)
    assert judged_ones > 8


@pytest.mark.parametrize("batch", BATCHES)
def test_what_layers_hold_fits_where_a_design_fits(batch: range) -> None:
    """A factor for each channel is held as one pixel."""
    for seed in batch:
        given = judged(f"wide {seed}", *compiled_of(wide_case(seed)))
        if given is None:
            continue
        tables, layout = given.tables, given.layout
        most = capacity_elements(tables, given.cost.memory) * layout.total_macros
        for i in range(len(tables.kind)):
            assert least_inputs(tables, i, layout.copies[i], False) <= most, given.name
