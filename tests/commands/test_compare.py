"""What `equal` means: nothing cancels, nothing is missing, and the first difference is named."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hwgen.commands.compare import compare, compare_layers
from hwgen.report.run import Difference
from hwgen.report.tables import in_words, verdict
from tests.commands.compared import (
    IMAGE_MODES,
    IMAGES,
    SHAPES,
    STEPS,
    compared,
    difference,
    golden,
    network,
    predicted,
    results,
    shifted,
    simulated,
)
from tests.commands.made_up import Simulated


@pytest.mark.promise(
    "equal means each image, run, step, counter and event by itself; nothing cancels"
)
def test_all_is_equal(runs: list[Simulated]) -> None:
    found = compared(runs)
    assert found.equal is True
    assert found.first is None
    assert found.image_equal == [True] * IMAGES
    assert [run.equal for run in found.runs] == [True] * IMAGES
    assert all(step.equal for run in found.runs for step in run.steps)
    assert not any(found.mismatches.values())


def test_nothing_was_compared() -> None:
    found = compare(network(), results([], compared=False))
    assert (found.equal, found.first, found.image_equal) == (None, None, [None] * IMAGES)
    assert [run.equal for run in found.runs] == [None] * IMAGES
    assert [run.cycles_model for run in found.runs] == [50, 55, 60]
    assert {step.equal for step in found.steps} == {None}


@pytest.mark.promise("what a chip stores outside a map is a difference")
def test_elements_of_two_images_do_not_cancel(runs: list[Simulated]) -> None:
    runs[0].maps[0]["conv"][1, 2, 3] += 5
    runs[1].maps[0]["conv"][1, 2, 3] -= 5
    found = compared(runs)
    assert found.equal is False
    assert found.image_equal == [False, False, True]
    assert found.mismatches["conv"] == 2


@pytest.mark.promise(
    "the first difference is named with image, mode, layer, element, both values and cycle"
)
def test_the_first_element_is_named_with_the_cycle_of_its_write(runs: list[Simulated]) -> None:
    runs[1].maps[0]["head"][0, 0, 4] += 1
    runs[1].maps[0]["conv"][1, 2, 3] += 1
    runs[1].maps[0]["conv"][1, 0, 2] += 2
    runs[2].maps[0]["input"][0, 0, 0] += 1
    runs[0].cycles += 1
    runs[1].written["conv"] = 17
    expected = int(golden()["conv"][1, 1, 0, 2])
    assert difference(runs) == Difference(
        what="element",
        run=1,
        image=1,
        mode="0.5x",
        layer="conv",
        y=1,
        x=0,
        channel=2,
        expected=expected,
        found=expected + 2,
        cycle=17,
        cycle_of="write",
    )


def test_without_the_write_the_retirement_of_the_layer_is_named(runs: list[Simulated]) -> None:
    runs[1].maps[0]["pool"][0, 0, 3] += 1
    found = difference(runs)
    assert (found.layer, found.cycle, found.cycle_of) == ("pool", 33, "retirement")
    assert "in a layer that retired in cycle 33" in in_words(found)


def test_the_image_itself_is_compared(runs: list[Simulated]) -> None:
    runs[0].maps[0]["input"][1, 1, 0] += 1
    assert difference(runs).layer == "input"
    del runs[0].maps[0]["input"]
    found = difference(runs)
    assert (found.what, found.layer, found.found) == ("map", "input", "nothing")


@pytest.mark.parametrize("shape", [(1, 1, 4), (1, 5), (1, 1, 0), None])
def test_an_answer_that_is_none_is_a_difference(
    runs: list[Simulated], shape: tuple[int, ...] | None
) -> None:
    if shape is None:
        del runs[2].maps[0]["head"]
    else:
        runs[2].maps[0]["head"] = np.zeros(shape, np.int32)
    found = difference(runs)
    assert (found.what, found.image, found.layer) == ("map", 2, "head")
    assert (found.expected, found.found) == ("(1, 1, 5)", str(shape) if shape else "nothing")
    assert compared(runs).mismatches["head"] >= 4


@pytest.mark.promise("a layer that another one computes has a row and is called fused")
def test_a_layer_that_another_computes_has_a_row_of_its_own(runs: list[Simulated]) -> None:
    """A convolution that an addition takes in has no step: its row stands before its reader."""
    place = STEPS.index("conv")
    for run in runs:
        del run.steps[place], run.step_events[place], run.maps[0]["conv"]
    given = replace(results(runs), unstored=["conv"])
    for prediction in given.predictions:
        del prediction.steps[place], prediction.own_events[place]
    for each in (*runs, *given.predictions):
        each.events["macro_reads"] = 6
    found = compare(network(), given)
    assert found.equal is True
    rows = compare_layers(network(), [], given, found)
    assert [row.name for row in rows] == ["image", "conv", "pool", "head", "end"]
    assert (rows[1].fused, rows[1].equal, rows[1].cycles_model) == (True, None, None)
    assert verdict(rows[1]).plain == "fused"


def test_a_fused_map_is_not_compared_its_consumer_is(runs: list[Simulated]) -> None:
    for run in runs:
        del run.maps[0]["conv"]
    given = replace(results(runs), unstored=["conv"])
    found = compare(network(), given)
    assert found.equal is True
    rows = {row.name: row for row in compare_layers(network(), (), given, found)}
    assert (rows["conv"].fused, rows["conv"].mismatches) == (True, None)
    assert (rows["pool"].fused, rows["pool"].mismatches) == (False, 0)


@pytest.mark.promise(
    "every output of a network leaves a crossbar chip, and is compared as it lies in memory, by"
    " an export too"
)
def test_an_answer_is_compared_whoever_says_that_it_is_fused(runs: list[Simulated]) -> None:
    """It has no consumer that would be wrong in its place."""
    for run in runs:
        del run.maps[0]["head"]
    first = compare(network(), replace(results(runs), unstored=["head"])).first
    assert first is not None
    assert (first.what, first.layer, first.found) == ("map", "head", "nothing")


@pytest.mark.promise(
    "fused maps follow from the network and the instructions; any other unchecked map differs"
)
@pytest.mark.parametrize("name", SHAPES)
def test_a_map_that_the_network_has_stored_must_be_there(runs: list[Simulated], name: str) -> None:
    for run in runs:
        del run.maps[0][name]
    found = difference(runs)
    assert (found.what, found.layer, found.found) == ("map", name, "nothing")


def test_a_map_that_only_one_run_has_is_compared_in_all(runs: list[Simulated]) -> None:
    for run in runs[1:]:
        del run.maps[0]["conv"]
    found = compare(network(), replace(results(runs), unstored=["conv"]))
    assert found.first is not None
    assert (found.first.what, found.first.layer, found.first.image) == ("map", "conv", 1)


def drop_a_run(runs: list[Simulated]) -> None:
    runs.pop(1)


def repeat_an_image(runs: list[Simulated]) -> None:
    runs[2].images[0] = 0
    runs[2].maps[0] = {name: maps.copy() for name, maps in runs[0].maps[0].items()}


def an_image_too_many(runs: list[Simulated]) -> None:
    runs.append(simulated(1, golden()))
    runs[3].images[0] = IMAGES


def an_image_that_nobody_gave(runs: list[Simulated]) -> None:
    """Every run is as predicted, and every image that was given is equal."""
    runs[2].images.append(IMAGES)
    runs[2].maps.append(runs[2].maps[0])


def no_runs(runs: list[Simulated]) -> None:
    runs.clear()


@pytest.mark.parametrize(
    ("change", "image"),
    [
        (drop_a_run, 1),
        (repeat_an_image, 0),
        (an_image_too_many, IMAGES),
        (an_image_that_nobody_gave, IMAGES),
        (no_runs, 0),
    ],
)
def test_every_image_runs_exactly_once(
    runs: list[Simulated], change: Callable[[list[Simulated]], None], image: int
) -> None:
    change(runs)
    found = difference(runs)
    assert (found.what, found.image) == ("image", image)
    mode = f" (mode {IMAGE_MODES[image]})" if image < IMAGES else ""
    assert f"image {image}{mode} must run exactly once" in in_words(found)


@pytest.mark.promise("a run may have several images, a layer several steps, a map may be fused")
def test_runs_of_several_images_compare_each(runs: list[Simulated]) -> None:
    runs[0].images, runs[0].maps = [0, 1], [runs[0].maps[0], runs[1].maps[0]]
    runs[0].modes += runs[1].modes
    runs.pop(1)
    given = replace(results(runs), predictions=[predicted(0), predicted(2)], run_images=2)
    assert compare(network(), given).equal is True
    assert compare(network(), replace(given, run_images=1)).equal is False
    runs[0].maps[1]["conv"][0, 0, 0] += 1
    found = compare(network(), given)
    assert found.image_equal == [True, False, True]
    assert found.first is not None
    assert (found.first.run, found.first.image) == (0, 1)


def test_a_run_that_nobody_predicted_differs(runs: list[Simulated]) -> None:
    given = replace(results(runs), predictions=[predicted(0), predicted(1)])
    found = compare(network(), given)
    assert found.equal is False
    assert [run.equal for run in found.runs] == [True, True, False]


def test_layers_are_sums_over_steps(runs: list[Simulated]) -> None:
    for number, run in enumerate(runs):
        first = run.steps[1]
        middle = first.begin + 4
        halves = [
            replace(first, name="conv.0", end=middle),
            replace(first, name="conv.1", begin=middle),
        ]
        run.steps[1:2] = halves
        assert predicted(number).steps != run.steps
    given = results(runs)
    for prediction, run in zip(given.predictions, runs, strict=True):
        prediction.steps[1:2] = run.steps[1:3]  # type: ignore[index]
    found = compare(network(), given)
    assert found.equal is True
    rows = {row.name: row for row in compare_layers(network(), (), given, found)}
    assert rows["conv"].cycles_rtl == rows["conv"].cycles_model == 10 + 11 + 12
    assert [step.name for step in found.steps][:3] == ["image", "conv.0", "conv.1"]


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (lambda runs: shifted(runs[0], "pool", end=1), "pool"),
        (lambda runs: runs[1].maps[0]["head"].__iadd__(1), "head"),
    ],
)
def test_the_row_of_a_layer_differs_with_its_steps_and_its_maps(
    runs: list[Simulated], change: Callable[[list[Simulated]], None], row: str
) -> None:
    change(runs)
    found = compared(runs)
    rows = compare_layers(network(), (), results(runs), found)
    assert [each.name for each in rows if not each.equal] == [row]
    assert [each.name for each in rows] == list(STEPS)
    assert {each.name: each.kind for each in rows}["image"] == "chip"
