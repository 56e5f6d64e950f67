"""What scratchpads must hold: the same for both evaluators, layer by layer."""

import pytest

from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.buffers import inputs_held, kilobytes_above, output_need
from hwgen.crossbar.model.design import lay_out
from hwgen.crossbar.model.exact import exact_times
from hwgen.crossbar.model.pipeline import make_pipeline
from tests.crossbar.model.designs import compiled_of
from tests.crossbar.model.random_designs import random_case
from verif.reference.crossbar.buffers import (
    image_ring,
    kilobytes_of,
    most_loaded,
    most_waiting,
    published_outputs,
    rings_of,
    words_of,
)
from verif.reference.crossbar.evaluate import run


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("seed", range(100, 130))
def test_need(seed: int, rules: Rules) -> None:
    case = random_case(seed, rules)
    step_ns = case.components.step_floor_ns
    found = run(case, case.memories()[0], step_ns)
    tables, design = compiled_of(case)
    layout = lay_out(tables, design)
    pipeline = make_pipeline(tables, layout, design.clocks, 0, step_ns)
    times = exact_times(tables, layout, pipeline, design.partner)
    layers = range(len(case.network.layers))
    inputs = [inputs_held(tables, layout, times, i) for i in layers]
    expected = [most_loaded(case, i) for i in layers]
    if case.rules == STRICT:
        bits = case.components.activation_bits
        rings = [[*rings_of(case, found.trace, i), image_ring(case, i)] for i in layers]
        expected = [tables.word * sum(words_of(case, each, bits) for each in own) for own in rings]
    assert inputs == pytest.approx(expected, rel=1e-12)
    if rules == STRICT:
        outputs = [
            tables.word
            * words_of(
                case, most_waiting(case, found.trace, i), case.network.layers[i].raw_bits or bits
            )
            for i in layers
        ]
    else:
        outputs = published_outputs(case, found.trace)
    assert [output_need(tables, layout, times, i) for i in layers] == outputs
    wanted = kilobytes_of(case, found.trace)
    assert kilobytes_above(tables, layout, times, 0.0) == pytest.approx(wanted, rel=1e-12)
