"""What scratchpads must hold: the same for both evaluators, whatever there is to choose from."""

import pytest

from hwgen.model.crossbar.buffers import kilobytes_needed
from hwgen.model.crossbar.design import lay_out
from hwgen.model.crossbar.exact import exact_times
from hwgen.model.crossbar.reference.buffers import kilobytes_of
from hwgen.model.crossbar.reference.evaluate import run
from hwgen.model.crossbar.timing import make_pipeline
from hwgen.spec.crossbar.point import Rules
from tests.model.crossbar.designs import compiled_of
from tests.model.crossbar.random_designs import random_case

FOREVER = 1 << 40


@pytest.mark.parametrize("rules", ["published", "strict"])
@pytest.mark.parametrize("seed", range(100, 130))
def test_need(seed: int, rules: Rules) -> None:
    case = random_case(seed, rules)
    step_ns = case.components.step_floor_ns
    found = run(case, case.memories()[0], step_ns)
    tables, design = compiled_of(case)
    layout = lay_out(tables, design)
    pipeline = make_pipeline(tables, layout, design.clocks, 0, step_ns)
    times = exact_times(tables, layout, pipeline, design.mate, FOREVER)
    wanted = kilobytes_of(case, found.starts)
    assert kilobytes_needed(tables, layout, times) == pytest.approx(wanted, rel=1e-12)
