"""Cycles, steps, counters and events: each run by itself, so that no errors cancel."""

from dataclasses import replace

import pytest

from hwgen.chip.step import Step
from hwgen.commands.compare import compare
from hwgen.commands.compare_runs import in_time
from hwgen.report.run import Difference
from hwgen.report.tables import in_words
from tests.commands.compared import (
    IMAGES,
    STEPS,
    compared,
    difference,
    network,
    results,
    shifted,
)
from tests.commands.made_up import Simulated


@pytest.mark.promise(
    "equal means each image, run, step, counter and event by itself; nothing cancels"
)
def test_cycles_of_two_images_do_not_cancel(runs: list[Simulated]) -> None:
    runs[0].cycles += 5
    runs[1].cycles -= 5
    found = compared(runs)
    assert found.equal is False
    assert [run.equal for run in found.runs] == [False, False, True]
    assert found.image_equal == [True] * IMAGES
    assert found.first == Difference(what="counter", run=0, name="cycles", expected=50, found=55)


def test_a_cycles_register_off_by_seven_differs(runs: list[Simulated]) -> None:
    runs[2].cycles += 7
    assert difference(runs) == Difference(
        what="counter", run=2, name="cycles", expected=60, found=67
    )


def test_load_cycles_of_two_images_do_not_cancel(runs: list[Simulated]) -> None:
    runs[0].load_cycles += 3
    runs[2].load_cycles -= 3
    found = difference(runs)
    assert (found.what, found.name, found.expected, found.found) == (
        "counter",
        "load_cycles",
        7,
        10,
    )
    assert [run.equal for run in compared(runs).runs] == [False, True, False]


def test_steps_of_two_images_do_not_cancel(runs: list[Simulated]) -> None:
    shifted(runs[0], "conv", end=4)
    shifted(runs[1], "conv", end=-4)
    found = compared(runs)
    sums = {step.name: step for step in found.steps}
    assert sums["conv"].cycles_rtl == sums["conv"].cycles_model
    assert sums["conv"].equal is False
    assert found.equal is False
    assert [run.equal for run in found.runs] == [False, False, True]


def test_neighbouring_steps_do_not_cancel(runs: list[Simulated]) -> None:
    shifted(runs[1], "conv", end=2)
    shifted(runs[1], "pool", begin=2)
    found = compared(runs)
    assert [step.equal for step in found.runs[1].steps] == [True, False, False, True, True]
    assert found.first == Difference(
        what="step", run=1, layer="conv", name="end", expected=22, found=24
    )


def test_a_step_that_moves_but_keeps_its_length_differs(runs: list[Simulated]) -> None:
    shifted(runs[0], "pool", begin=1, end=1)
    assert difference(runs) == Difference(
        what="step", run=0, layer="pool", name="begin", expected=20, found=21
    )


@pytest.mark.parametrize("side", ["fewer", "more", "renamed", "other_layer"])
def test_steps_are_those_of_the_program(runs: list[Simulated], side: str) -> None:
    last = runs[1].steps[-1]
    if side == "fewer":
        runs[1].steps.pop()
    elif side == "more":
        runs[1].steps.append(Step(name="more", layer="more", begin=last.end, end=last.end))
    elif side == "renamed":
        runs[1].steps[-1] = replace(last, name="stop")
    else:
        runs[1].steps[-1] = replace(last, layer="head")
    found = compared(runs)
    assert found.equal is False
    assert [run.equal for run in found.runs] == [True, False, True]


@pytest.mark.parametrize("changed", [4, None, 6])
def test_every_counter_of_the_chip_counts(runs: list[Simulated], changed: int | None) -> None:
    if changed is None:
        del runs[2].counters["layers"]
    else:
        runs[2].counters["layers"] = changed
    assert difference(runs) == Difference(
        what="counter", run=2, name="layers", expected=5, found=changed
    )


def test_a_counter_that_nobody_predicts_differs(runs: list[Simulated]) -> None:
    runs[0].counters["stalls"] = 1
    assert difference(runs).name == "stalls"


def test_events_of_two_images_do_not_cancel(runs: list[Simulated]) -> None:
    runs[0].events["macro_reads"] += 1
    runs[1].events["macro_reads"] -= 1
    assert difference(runs) == Difference(
        what="event", run=0, name="macro_reads", expected=90, found=91
    )
    assert [run.equal for run in compared(runs).runs] == [False, False, True]


@pytest.mark.promise(
    "events are compared by step but for those that overlap, a line says that events differ alone"
)
def test_events_of_two_steps_do_not_cancel(runs: list[Simulated]) -> None:
    """A hundred reads that move from one step to the next leave the counts of the run alone."""
    conv, pool = STEPS.index("conv"), STEPS.index("pool")
    runs[1].step_events[conv]["macro_reads"] -= 10
    runs[1].step_events[pool]["macro_reads"] += 10
    found = compared(runs)
    assert found.first == Difference(
        what="event", run=1, layer="conv", name="macro_reads", expected=85, found=75
    )
    assert in_words(found.first) == ("run 1, step conv, event macro_reads: 85 predicted, 75 found")
    assert [step.equal for step in found.runs[1].steps] == [True, False, False, True, True]
    assert all(step.in_time for step in found.runs[1].steps)
    assert [run.equal for run in found.runs] == [True, False, True]
    assert [in_time(run) for run in found.runs] == [True, True, True]


def test_events_that_the_model_counts_elsewhere_are_compared_by_run(runs: list[Simulated]) -> None:
    given = results(runs)
    for of_run in (runs[0].events, given.predictions[0].events):
        of_run["beats_read"] = 7  # type: ignore[index]
    runs[0].step_events[0]["beats_read"] = 7
    assert compare(network(), given).equal is True


@pytest.mark.promise("unknown events, and steps whose events nobody counted, differ")
def test_an_event_that_the_model_does_not_know_differs(runs: list[Simulated]) -> None:
    runs[0].step_events[0]["beats_read"] = 7
    assert difference(runs) == Difference(
        what="event", run=0, layer="image", name="beats_read", expected=0, found=7
    )


def test_steps_without_events_differ(runs: list[Simulated]) -> None:
    """Of the last step nothing is expected, but nobody has counted there."""
    runs[1].step_events.pop()
    assert difference(runs) == Difference(what="run", run=1)
    runs[1].step_events.pop()
    found = difference(runs)
    assert (found.layer, found.expected, found.found) == ("head", 2, 0)


def test_events_of_a_step_too_many_differ(runs: list[Simulated]) -> None:
    runs[2].step_events.append({})
    assert difference(runs) == Difference(what="run", run=2)


def test_a_step_without_events_has_none(runs: list[Simulated]) -> None:
    del runs[2].step_events[STEPS.index("conv")]["macro_reads"]
    assert difference(runs).found == 0
