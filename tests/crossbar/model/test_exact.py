"""The compiled evaluators against the reference: event for event, and figure for figure."""

import pytest

from golden.crossbar.ir import Node
from hwgen.crossbar.facts.operations import OPERATIONS
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.design import Design, lay_out
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.exact import exact_times, start_all
from hwgen.crossbar.model.pipeline import Pipeline, make_pipeline
from hwgen.crossbar.model.tables import Tables
from tests.crossbar.model.designs import compiled_of
from tests.crossbar.model.random_designs import random_case
from tests.rules import UNCHAINED
from verif.reference.crossbar import Case, Evaluation
from verif.reference.crossbar import evaluate as evaluate_by_the_book
from verif.reference.crossbar.evaluate import run

NEED_LESS_THAN_THEY_HAVE = (1620, 2444)
"""Larger scratchpads make loads slower, and so smaller ones would do, were they not too fast."""

NEEDS_MOST_AT_FIRST = 3137
"""Only with loads of one step it takes scratchpads that leak more than the budget."""

FAILURES = ("", "power", "memory", "macros")
"""In the order of the compiled evaluator's numbers."""

FIGURES = ("efficiency", "energy_nj", "steps", "step_ns", "interval", "peak_w", "memory")

A_FEW = range(40)
SOME = 100, 101, 102, 103, 109, 111
MANY = range(40, 700)

ORDER_OF_TRAVELS = 2756
"""A next block's merge and a reader's transfer come at once: who is first changes the steps."""


def starts_of(tables: Tables, design: Design, pipeline: Pipeline) -> dict[tuple[int, ...], int]:
    """Return the compiled simulator's steps by layer, block and place of the operation."""
    layout = lay_out(tables, design)
    first, started, _ = start_all(tables, layout, pipeline, design.partner, 1, 0)
    return {
        (layer, *divmod(node, pipeline.length[layer])): step
        for layer in range(len(first) - 1)
        for node, step in enumerate(started[first[layer] : first[layer + 1]])
    }


def first_bits(starts: dict[Node, int]) -> dict[tuple[int, ...], int]:
    """Return the reference's steps in the same form."""
    return {tuple(node[:3]): step for node, step in starts.items() if node.bit == 0}


def check_events(case: Case, found: Evaluation) -> None:
    """Compare the starts of all first bits, and the lists of events made from them."""
    tables, design = compiled_of(case)
    layout = lay_out(tables, design)
    pipeline = make_pipeline(tables, layout, design.clocks, found.memory, found.step_ns)
    assert starts_of(tables, design, pipeline) == first_bits(found.starts)
    times = exact_times(tables, layout, pipeline, design.partner)
    assert times.end == found.steps
    for layer, flow in enumerate(case.dataflow.layers):
        names = [OPERATIONS[what] for what in pipeline.operation[layer, : pipeline.length[layer]]]
        for cnt in range(flow.blocks):
            at = times.block_start[layer] + cnt
            by_name = {
                name: found.starts[Node(layer, cnt, place, 0)] for place, name in enumerate(names)
            }
            last = pipeline.steps[layer, len(names) - 1] + by_name[names[-1]]
            wanted = (by_name["load"], by_name.get("adc", -1), by_name["store"], last)
            assert wanted == (times.load[at], times.adc[at], times.store[at], times.done[at])


def check(case: Case, *, events: bool) -> None:
    """Compare everything that both evaluators say of a design."""
    found = evaluate_by_the_book(case)
    cost = evaluate(*compiled_of(case), True)
    assert FAILURES[cost.failure] == found.failure
    if found.failure:
        return
    for name in FIGURES:
        assert getattr(cost, name) == pytest.approx(getattr(found, name), rel=1e-12, abs=0), name
    assert cost.converged == found.converged
    if events:
        check_events(case, found)


@pytest.mark.dear("0-strict")
@pytest.mark.promise("the fast evaluator gives what the plain reference gives, event for event")
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT, UNCHAINED])
@pytest.mark.parametrize("seed", A_FEW)
def test_random(seed: int, rules: Rules) -> None:
    check(random_case(seed, rules), events=True)


@pytest.mark.parametrize("seed", NEED_LESS_THAN_THEY_HAVE)
def test_scratchpads_stay_large(seed: int) -> None:
    case = random_case(seed, STRICT)
    found = evaluate_by_the_book(case)
    assert found.kilobytes_by_round[-1] < case.memories()[found.memory].kilobytes
    check(case, events=True)


def test_the_first_loads_take_one_step() -> None:
    case = random_case(NEEDS_MOST_AT_FIRST, PUBLISHED)
    assert evaluate_by_the_book(case).failure == "power"
    check(case, events=False)


def test_the_next_block_travels_before_its_readers() -> None:
    case = random_case(ORDER_OF_TRAVELS, PUBLISHED, sharing=0.2)
    tables, design = compiled_of(case)
    pipeline = make_pipeline(tables, lay_out(tables, design), design.clocks, 0, 100.0)
    found = run(case, case.memories()[0], 100.0)
    assert starts_of(tables, design, pipeline) == first_bits(found.trace.starts)


@pytest.mark.long
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("sharing", [0.0, 0.5, 0.9])
def test_many_random(rules: Rules, sharing: float) -> None:
    for seed in MANY:
        print(seed, rules, sharing)
        check(random_case(seed, rules, sharing=sharing), events=seed % 10 == 0)
