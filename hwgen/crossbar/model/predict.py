"""Predict cycles, starts and events of a run: the conductor in Python, and stated constants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip import runs
from hwgen.chip.step import Step
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.program import Program
from hwgen.crossbar.facts.run_steps import END, INPUT, step_name
from hwgen.crossbar.facts.timing import LAGS, MEMORY_LATENCY_CYCLES
from hwgen.crossbar.model.conductor import Conductor
from hwgen.crossbar.model.cycles import RunCycles, Starts, load_cycles, run_cycles
from hwgen.crossbar.model.events import run_events


@dataclass(frozen=True, kw_only=True)
class Prediction(runs.Prediction):
    """The prediction of a run; steps: as `hwgen.crossbar.facts.run_steps` says.

    timing: its parts; starts: of all blocks; busy: steps in which ADCs convert, of all layers
    """

    timing: RunCycles
    starts: Starts
    busy: Mapping[str, int]

    @property
    def held_clocks(self) -> int:
        """Clocks by which pipeline steps are longer."""
        return self.timing.held


class CycleModel:
    """The cycle model of one program on one architecture; all runs of so many images are alike."""

    def __init__(self, program: Program, arch: Arch) -> None:
        self._program, self._chip = program, described(arch)

    def predict(self, maps: Mapping[str, NDArray[Any]] | None = None) -> Prediction:
        """Return the cycles of a run; they depend on no image. maps: not used."""
        return self._prediction

    @cached_property
    def _prediction(self) -> Prediction:
        chip, images = self._chip, self._program.facts.images
        starts, steps = starts_of(chip, images, chip.interval)
        timing = run_cycles(
            chip, images=images, steps=steps, latency=MEMORY_LATENCY_CYCLES, starts=starts
        )
        loading = load_cycles(chip, self._program.beats, address=0, latency=MEMORY_LATENCY_CYCLES)
        names = [plan.name for plan in self._program.facts.layers]
        return Prediction(
            cycles=timing.cycles,
            # No pipeline step goes on: the first image comes, the last result goes.
            load=timing.first + timing.held + timing.drain,
            loading=loading,
            counters={
                "layers": images,
                "images_done": images,
                "steps": timing.steps,
                "late": 0,
            },
            timing=timing,
            steps=steps_of(chip, names, images, starts, timing),
            starts=starts,
            events=run_events(chip, images),
            busy=converting(chip, names, images),
        )


def starts_of(chip: Chip, images: int, interval: int) -> tuple[Starts, int]:
    """Return the step in which each block of a run starts, and the steps of the run.

    interval: steps from one image to the next
    """
    conductor = Conductor(chip, images=images, interval=interval)
    found: dict[tuple[int, str], list[int]] = {
        (layer.place, operation.name): [] for layer in chip.layers for operation in layer.operations
    }
    for start in conductor.run():
        name = chip.layers[start.layer].operations[start.index].name
        found[start.layer, name].append(start.step)
    return {key: np.array(steps, np.int64) for key, steps in found.items()}, conductor.steps


def steps_of(
    chip: Chip, names: Sequence[str], images: int, starts: Starts, timing: RunCycles
) -> tuple[Step, ...]:
    """Return the steps of a run, as `hwgen.crossbar.facts.run_steps` says."""
    found = [Step(name=INPUT, layer=INPUT, begin=0, end=timing.first)]
    for image in range(images):
        for layer, name in zip(chip.layers, names, strict=True):
            first, last = layer.operations[0].name, layer.operations[-1].name
            begin = starts[layer.place, first][image * layer.blocks]
            end = starts[layer.place, last][(image + 1) * layer.blocks - 1]
            step = Step(
                name=step_name(name, image, images),
                layer=name,
                begin=timing.clock_of(int(begin), LAGS[first]),
                end=timing.clock_of(int(end), LAGS[last]),
            )
            found.append(step)
    over = timing.clock_of(timing.steps, 0)
    return (*found, Step(name=END, layer=END, begin=over, end=timing.cycles))


def converting(chip: Chip, names: Sequence[str], images: int) -> dict[str, int]:
    """Return, by layer, the steps in which its ADCs convert."""
    return {
        name: images * layer.blocks * chip.bit_steps * layer.clocks_per_bit
        for layer, name in zip(chip.layers, names, strict=True)
        if layer.cut is not None
    }


def where_cycles_go(prediction: Prediction) -> dict[str, float]:
    """Return cycles by cause; they add up to those of the prediction."""
    timing = prediction.timing
    return {
        "image": timing.first,
        "steps": timing.steps * timing.step_clocks,
        "held": timing.held,
        "answer": timing.drain,
    }


def utilization_of(predictions: Sequence[Prediction], *, layer: str | None = None) -> float | None:
    """Return the fraction of a run's steps in which the ADCs of a layer convert.

    layer: None: the mean over all layers with weights
    """
    shares = [
        busy / prediction.timing.steps
        for prediction in predictions
        for name, busy in prediction.busy.items()
        if layer in (None, name)
    ]
    return float(np.mean(shares)) if shares else None


def must_compile() -> bool:
    """Return whether the first prediction must compile: hardly, the memory port alone."""
    return False
