"""What `equal` means: nothing cancels, nothing is missing, and the first difference is named."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hwgen.flow.compare import Comparison, Results, compare, compare_layers
from hwgen.report.run import Difference
from hwgen.report.tables import in_words
from hwgen.spec.step import Step
from tests.flow.made_up import Simulated

IMAGES = 3
SHAPES = {"input": (2, 3, 1), "conv": (2, 3, 4), "pool": (1, 1, 4), "head": (1, 1, 5)}
STEPS = ("image", "conv", "pool", "head", "end")


def network() -> Any:
    """Return what a comparison reads of a network: names, kinds, shapes."""
    layers = [
        SimpleNamespace(name=name, op=name, output=SimpleNamespace(shape=shape))
        for name, shape in SHAPES.items()
        if name != "input"
    ]
    return SimpleNamespace(layers=layers)


def steps(image: int) -> list[Step]:
    """Return steps of 10 cycles each, of an image one cycle longer than of the one before it."""
    spent = [10 + image] * len(STEPS)
    ends = np.cumsum(spent).tolist()
    return [
        Step(name=name, layer=name, begin=end - cycles, end=end)
        for name, cycles, end in zip(STEPS, spent, ends, strict=True)
    ]


def golden() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {
        name: rng.integers(0, 100, (IMAGES, *shape), dtype=np.int32)
        for name, shape in SHAPES.items()
    }


def predicted(image: int) -> Any:
    return SimpleNamespace(
        cycles=50 + 5 * image,
        load=7 + image,
        steps=steps(image),
        counters={"layers": len(STEPS)},
        events={"macro_reads": 90 + image},
    )


def simulated(image: int, maps: dict[str, Any]) -> Simulated:
    return Simulated(
        images=[image],
        cycles=50 + 5 * image,
        load_cycles=7 + image,
        steps=steps(image),
        maps=[{name: maps[name][image].copy() for name in maps}],
        counters={"layers": len(STEPS)},
        events={"macro_reads": 90 + image},
    )


@pytest.fixture
def runs() -> list[Simulated]:
    """What a chip without fault shows."""
    return [simulated(image, golden()) for image in range(IMAGES)]


def results(runs: list[Simulated], *, compared: bool = True) -> Results:
    return Results(
        images=IMAGES,
        maps=golden(),
        predictions=[predicted(image) for image in range(IMAGES)],
        runs=runs,
        compared=compared,
        zero_columns={},
    )


def compared(runs: list[Simulated]) -> Comparison:
    return compare(network(), results(runs), mode="0.5x")


def difference(runs: list[Simulated]) -> Difference:
    """Return the first difference of runs that must not be equal."""
    found = compared(runs)
    assert found.equal is False
    assert found.first is not None
    return found.first


def shifted(run: Simulated, name: str, *, begin: int = 0, end: int = 0) -> None:
    """Move begin and end of one step."""
    place = STEPS.index(name)
    step = run.steps[place]
    run.steps[place] = replace(step, begin=step.begin + begin, end=step.end + end)


def test_all_is_equal(runs: list[Simulated]) -> None:
    found = compared(runs)
    assert found.equal is True
    assert found.first is None
    assert found.image_equal == [True] * IMAGES
    assert [run.equal for run in found.runs] == [True] * IMAGES
    assert all(step.equal for run in found.runs for step in run.steps)
    assert not any(found.mismatches.values())


def test_nothing_was_compared() -> None:
    found = compare(network(), results([], compared=False), mode="1.0x")
    assert (found.equal, found.first, found.image_equal) == (None, None, [None] * IMAGES)
    assert [run.equal for run in found.runs] == [None] * IMAGES
    assert [run.cycles_model for run in found.runs] == [50, 55, 60]
    assert {step.equal for step in found.steps} == {None}


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


def test_elements_of_two_images_do_not_cancel(runs: list[Simulated]) -> None:
    runs[0].maps[0]["conv"][1, 2, 3] += 5
    runs[1].maps[0]["conv"][1, 2, 3] -= 5
    found = compared(runs)
    assert found.equal is False
    assert found.image_equal == [False, False, True]
    assert found.mismatches["conv"] == 2


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
    assert compared(runs).equal is True


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


def test_a_fused_map_is_not_compared_its_consumer_is(runs: list[Simulated]) -> None:
    del runs[1].maps[0]["conv"]
    runs[1].fused.append("conv")
    found = compared(runs)
    assert found.equal is True
    rows = {row.name: row for row in compare_layers(network(), (), results(runs), found)}
    assert (rows["conv"].fused, rows["conv"].mismatches) == (True, None)
    assert (rows["pool"].fused, rows["pool"].mismatches) == (False, 0)


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
    assert f"image {image} (mode 0.5x) must run exactly once" in in_words(found)


def test_runs_of_several_images_compare_each(runs: list[Simulated]) -> None:
    runs[0].images, runs[0].maps = [2, 0], [runs[2].maps[0], runs[0].maps[0]]
    runs.pop(2)
    given = replace(results(runs), predictions=[predicted(0), predicted(1)])
    assert compare(network(), given, mode="1.0x").equal is True
    runs[0].maps[0]["conv"][0, 0, 0] += 1
    found = compare(network(), given, mode="1.0x")
    assert found.image_equal == [True, True, False]
    assert found.first is not None
    assert (found.first.run, found.first.image) == (0, 2)


def test_a_run_that_nobody_predicted_differs(runs: list[Simulated]) -> None:
    given = replace(results(runs), predictions=[predicted(0), predicted(1)])
    found = compare(network(), given, mode="1.0x")
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
    found = compare(network(), given, mode="1.0x")
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
