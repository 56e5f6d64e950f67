"""Runs of whole chips, and what must be equal in them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.network import infer
from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.chip.sim.host import run_chip
from hwgen.crossbar.compiler.lowering import Lowering
from hwgen.crossbar.compiler.quantized import functions_of
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.image_io import answer_stride, image_stride, packed_image
from hwgen.crossbar.facts.timing import MEMORY_LATENCY_CYCLES
from hwgen.crossbar.model.conductor import Conductor
from hwgen.crossbar.model.predict import RunCycles, load_cycles, run_cycles
from hwgen.crossbar.model.predict import starts_of as starts_of_run
from hwgen.crossbar.sim.chip_run import ChipRun, Job, hosted
from hwgen.crossbar.sim.maps import answers_of, maps_of, starts_of
from hwgen.network import QuantizedNetwork
from verif.common.drawing import draw_images


@dataclass(frozen=True, kw_only=True)
class WholeRun:
    """A load and a run of some images on a chip."""

    chip: Chip
    network: QuantizedNetwork
    images: np.ndarray
    interval: int
    program_beats: int
    load: ChipRun
    run: ChipRun

    def compare(self) -> None:
        """Hold every element of every map, and every start, to golden and to the conductor."""
        for one in (self.load, self.run):
            assert one.done, f"error {one.error}, {one.gave_up}, late {one.registers.get('late')}"
        golden = self.golden
        count = len(self.images)
        for name, found in maps_of(self.run, self.chip, count).items():
            assert np.array_equal(found, golden[name]), f"{name}: {(found != golden[name]).sum()}"
        for name, found in answers_of(self.run, self.chip).items():
            assert np.array_equal(found, golden[name]), f"answers of {name}"
        assert self.run.registers["images_done"] == count

    def compare_cycles(self) -> None:
        """Hold the cycles of load and run to the model; no step was held."""
        assert self.load.cycles == self.predicted_load
        assert self.run.cycles == self.predicted.cycles
        assert self.run.registers["held_clocks"] == 0

    @property
    def golden(self) -> dict[str, np.ndarray]:
        """The maps of all layers as they are stored: behind the tables that belong to them."""
        found = infer(self.network, self.images)
        for layer, tables in functions_of(self.network).items():
            for name in tables:
                found[layer] = self.network.tables[name][0][found[layer]]
        return found

    def compare_starts(self) -> None:
        """Hold what starts in each step to the conductor in Python."""
        conductor = Conductor(self.chip, images=len(self.images), interval=self.interval)
        found = starts_of(self.run, self.chip)
        for step, starts in enumerate(found):
            wanted = sorted((each.layer, each.index) for each in conductor.tick())
            assert sorted(starts) == wanted, f"step {step}: {starts}, not {wanted}"
        assert conductor.is_over
        assert self.run.registers["steps"] == len(found) == conductor.steps

    @property
    def predicted_load(self) -> int:
        """Cycles of the load, by the model."""
        return load_cycles(self.chip, self.program_beats, address=0, latency=MEMORY_LATENCY_CYCLES)

    @property
    def predicted(self) -> RunCycles:
        """Cycles of the run, by the model."""
        starts, steps = starts_of_run(self.chip, len(self.images), self.interval)
        return run_cycles(
            self.chip,
            images=len(self.images),
            steps=steps,
            latency=MEMORY_LATENCY_CYCLES,
            starts=starts,
        )


def run_whole(
    chip: Chip,
    network: QuantizedNetwork,
    folder: Path,
    *,
    images: int = 1,
    interval: int | None = None,
    replacements: Replacements = NO_REPLACEMENTS,
) -> WholeRun:
    """Load a network into its chip, and run random images."""
    program = Lowering(chip, network).program
    drawn = draw_images(network, images, seed=3)
    apart = chip.interval if interval is None else interval
    job = Job(
        program=program.tobytes(),
        images=[packed_image(chip, image) for image in drawn],
        run_images=images,
        interval=apart,
        image_stride=image_stride(chip),
        answer_stride=answer_stride(chip),
    )
    load, run = run_chip(job.work(), hosted(chip, replacements), folder)
    return WholeRun(
        chip=chip,
        network=network,
        images=drawn,
        interval=apart,
        program_beats=len(program),
        load=load,
        run=run,
    )
