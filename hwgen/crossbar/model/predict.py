"""Cycles, starts and events of a run: the conductor, and constants before and behind it.

Tests: `tests/commands/test_every_field.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip import memory, runs
from hwgen.chip.axi import READ_FIFO_BEATS
from hwgen.chip.step import Step
from hwgen.crossbar.facts import image_io
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.program import Program
from hwgen.crossbar.facts.run_steps import END, INPUT, step_name
from hwgen.crossbar.facts.timing import (
    FIRST_COMMAND_CYCLE,
    FIRST_STEP_CYCLES,
    HEADER_COMMAND_CYCLES,
    LAGS,
    MEMORY_LATENCY_CYCLES,
    SETTLE_CLOCKS,
    STORED_CYCLES,
)
from hwgen.crossbar.model.conductor import Conductor
from hwgen.crossbar.model.events import run_events

Starts = Mapping[tuple[int, str], NDArray[Any]]
"""Steps in which the blocks of an operation start, by layer and name, in the order of blocks."""


@dataclass(frozen=True, kw_only=True)
class RunCycles:
    """The cycles of a run.

    first: cycles before the first step (K0): the first image is read
    steps, step_clocks: of the conductor; held: clocks by which steps were longer
    drain: from the end of the last step to the end of the run: the last results are stored
    """

    first: int
    steps: int
    step_clocks: int
    held: int
    drain: int

    @property
    def cycles(self) -> int:
        """All of them."""
        return self.first + self.steps * self.step_clocks + self.held + self.drain

    def clock_of(self, step: int, lag: int) -> int:
        """Return the clock of a run that is so many clocks behind the begin of a step."""
        return self.first + step * self.step_clocks + lag


def port_of(chip: Chip, latency: int) -> memory.Port:
    """Return the memory port of a chip, for a memory of some latency."""
    return memory.Port(port_bytes=chip.flit_bits // 8, latency=latency, read_ahead=READ_FIFO_BEATS)


def last_beat(port: memory.Port, commands: memory.Commands, header_beats: int = 0) -> int:
    """Return the cycle in which the last beat of all commands is taken.

    header_beats: after which the second command follows; 0: there is none
    """
    reader, arrivals = np.zeros(memory.REGISTERS, np.int64), np.zeros(READ_FIFO_BEATS, np.int64)
    reader[memory.LAST_ARRIVAL] = -1
    total, t = int(commands["beats"].sum()), 0
    while reader[memory.TAKEN] < total:
        t += 1
        memory.read_engine(t, port, reader, commands, arrivals)
        if memory.beat_ready(t, reader, arrivals):
            reader[memory.TAKEN] += 1
            if reader[memory.TAKEN] == header_beats:
                commands[1]["cycle"] = t + HEADER_COMMAND_CYCLES
    return t


def load_cycles(chip: Chip, beats: int, *, address: int, latency: int) -> int:
    """Return the cycles of a load of a program of so many beats, its header included."""
    port = port_of(chip, latency)
    rows = [
        (FIRST_COMMAND_CYCLE, address, image_io.HEADER_BEATS),
        (0, address + image_io.HEADER_BEATS * port.port_bytes, beats - image_io.HEADER_BEATS),
    ]
    last = last_beat(port, np.array(rows, dtype=memory.COMMAND_TYPE), image_io.HEADER_BEATS)
    return last + SETTLE_CLOCKS


def run_cycles(chip: Chip, *, images: int, steps: int, latency: int, starts: Starts) -> RunCycles:
    """Return the cycles of a run of so many pipeline steps whose images are always there in time.

    Its images and its answers begin at pages of the memory.

    starts: the steps in which the blocks of each operation start, by layer and name
    """
    port = port_of(chip, latency)
    rows = [(FIRST_COMMAND_CYCLE, 0, image_io.image_beats(chip))]
    return RunCycles(
        first=last_beat(port, np.array(rows, dtype=memory.COMMAND_TYPE)) + FIRST_STEP_CYCLES,
        steps=steps,
        step_clocks=chip.step_clocks,
        held=0,
        drain=drain_of(chip, port, images=images, steps=steps, starts=starts),
    )


def drain_of(chip: Chip, port: memory.Port, *, images: int, steps: int, starts: Starts) -> int:
    """Return the clocks from the end of the last step until all results are in memory.

    Each result of an image is stored by itself once its last block has come, between two steps;
    of several the first in an answer first. A run has all its steps, also where what they make
    leaves the chip no more.
    """
    waiting, before = [], 0
    for travel in image_io.results(chip):
        layer, beats = chip.layers[travel.owner], image_io.result_beats(chip, travel)
        busy = sum(one.busy for one in layer.operations if one.name == "result")
        last = starts[travel.owner, "result"][layer.blocks - 1 :: layer.blocks]
        came = [(int(step) + busy - steps) * chip.step_clocks for step in last]
        waiting.append((came, before, beats))
        before += beats
    gone, free = [0] * len(waiting), -steps * chip.step_clocks
    for _ in range(images * len(waiting)):
        left = [
            came[gone[k]] if gone[k] < images else None for k, (came, _, _) in enumerate(waiting)
        ]
        begin = max(free, min(clock for clock in left if clock is not None))
        if begin < 0:
            begin = -(-begin // chip.step_clocks) * chip.step_clocks
        k = next(k for k, clock in enumerate(left) if clock is not None and clock <= begin)
        _, first, beats = waiting[k]
        address = gone[k] * image_io.answer_stride(chip) + first * port.port_bytes
        free = begin + memory.store_cycles(address, beats * port.port_bytes, port) + STORED_CYCLES
        gone[k] += 1
    return max(free, 0)


@dataclass(frozen=True, kw_only=True)
class Prediction(runs.Prediction):
    """The prediction of a run; steps: as `hwgen.crossbar.facts.run_steps` says.

    timing: its parts; starts: of all blocks; busy: steps in which ADCs convert, of all layers
    """

    timing: RunCycles
    starts: Starts
    busy: Mapping[str, int]


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
            held_clocks=timing.held,
            counters={
                "layers": images,
                "images_done": images,
                "steps": timing.steps,
                "late": 0,
            },
            timing=timing,
            # Of each step, and of each clock with strobes.
            lines=timing.steps + sum(map(len, starts.values())),
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


def bound_of(predictions: Sequence[Prediction], *, layer: str) -> str | None:
    """Return None: all layers work at the same time, by one schedule."""
    return None


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
