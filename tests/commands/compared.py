"""A small network, its expected maps, and simulations that never ran, all in plain Python."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from hwgen.chip.step import Step
from hwgen.commands.compare import Comparison, Results, compare
from hwgen.report.run import Difference
from tests.commands.made_up import Simulated

IMAGES = 3
GIVEN_MODES = ("1.0x", "0.5x")
IMAGE_MODES = ("1.0x", "0.5x", "0.5x")
"""Mode of each image."""
SHAPES = {"input": (2, 3, 1), "conv": (2, 3, 4), "pool": (1, 1, 4), "head": (1, 1, 5)}
STEPS = ("image", "conv", "pool", "head", "end")


def network() -> Any:
    """Return what a comparison reads of a network: names, kinds, shapes, modes."""
    layers = [
        SimpleNamespace(name=name, op=name, output=feature_map(shape), inputs=[before])
        for (name, shape), before in zip(SHAPES.items(), ("", *SHAPES), strict=False)
        if name != "input"
    ]
    graph = SimpleNamespace(modes=GIVEN_MODES, outputs=("head",))
    return SimpleNamespace(layers=layers, graph=graph)


def feature_map(shape: tuple[int, int, int]) -> Any:
    """Return a map whose second mode has one channel less."""
    return SimpleNamespace(shape=shape, channels_in=lambda mode: shape[2] - mode)


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
        own_events=step_events(image),
        loading=0,
        held_clocks=0,
        image_cycles=(),
        weight_row_writes=0,
    )


def step_events(image: int) -> list[dict[str, int]]:
    """Return the events of each step; the convolution has most of them."""
    return [{"macro_reads": 84 + image if name == "conv" else 2} for name in STEPS[:-1]] + [{}]


def simulated(image: int, maps: dict[str, Any]) -> Simulated:
    return Simulated(
        images=[image],
        modes=(GIVEN_MODES.index(IMAGE_MODES[image]),),
        cycles=50 + 5 * image,
        load_cycles=7 + image,
        steps=steps(image),
        maps=[{name: maps[name][image].copy() for name in maps}],
        counters={"layers": len(STEPS)},
        events={"macro_reads": 90 + image},
        step_events=step_events(image),
    )


def results(runs: list[Simulated], *, compared: bool = True) -> Results:
    return Results(
        modes=IMAGE_MODES,
        maps=golden(),
        predictions=[predicted(image) for image in range(IMAGES)],
        runs=runs,
        compared=compared,
        zero_bit_planes={},
    )


def compared(runs: list[Simulated]) -> Comparison:
    return compare(network(), results(runs))


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
