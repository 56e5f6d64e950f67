"""Run a program on the RTL of a crossbar chip; its maps follow from what its macros store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hwgen.chip import runs
from hwgen.chip.limits import RunLimits
from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.chip.sim import host
from hwgen.chip.sim.cache import Say, silent
from hwgen.chip.sim.host import NO_LIMITS
from hwgen.chip.sim.waves import Waves
from hwgen.chip.step import Step
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.image_io import answer_stride, image_stride, packed_image
from hwgen.crossbar.facts.program import Program
from hwgen.crossbar.facts.registers import ErrorCode
from hwgen.crossbar.facts.run_steps import END, INPUT, step_name
from hwgen.crossbar.sim.chip_run import ChipRun, Job, hosted
from hwgen.crossbar.sim.maps import (
    Strobes,
    answers_of,
    first_clocks,
    maps_of,
    strobes_of,
    written_cycles,
)

STORING = ("port_writes",)
"""Events of which each word that a macro stores has one."""


@dataclass(frozen=True, kw_only=True)
class SimulatedRun(runs.SimulatedRun):
    """One run of the chip; steps: as `hwgen.crossbar.facts.run_steps` says.

    strobes: of all operations, layer after layer
    """

    strobes: Sequence[Strobes]


def simulate(
    arch: Arch,
    program: Program,
    images: NDArray[Any],
    *,
    waves: Waves | None = None,
    trouble: Trouble = NO_TROUBLE,
    seed: int = 1,
    limits: RunLimits = NO_LIMITS,
    replacements: Replacements = NO_REPLACEMENTS,
    builds: Path | None = None,
    say: Say = silent,
) -> list[SimulatedRun]:
    """Return every run; the chip loads once, then the runs come one after the other.

    images: unsigned NHWC
    trouble: that the memory makes; seed: of memories and registers at power-on
    limits: after which a run counts as hanging; replacements: of parts of the chip
    builds: folder of simulators; None: the user's cache (HWGEN_BUILD_ROOT overrides both)
    say: receives a message before a simulator is built, which takes a minute or more
    Raises SimulationError when the chip stops with an error or does not stop at all, OutputError
    when `builds` cannot be written, MissingToolError without Verilator.
    """
    chip = described(arch)
    job = replace(
        job_of(chip, program, images),
        trouble=trouble,
        seed=seed,
        # A beat of the program takes a cycle to load at most, and longer where the memory stalls.
        limits=replace(limits, cycles=limits.cycles + program.beats * 100 // (100 - trouble.stall)),
    )
    commands, file = host.run_hosted(
        job.work(), hosted(chip, replacements), waves=waves, builds=builds, say=say
    )
    return list(simulated_runs(commands, program, chip, waves=file))


def begin(arch: Arch, replacements: Replacements = NO_REPLACEMENTS) -> None:
    """Begin to write the Verilog of a chip, in a thread, for a `simulate` that comes later."""
    _ = hosted(described(arch), replacements).written


def prepare(
    arch: Arch,
    program: Program,
    images: NDArray[Any],
    *,
    builds: Path | None = None,
    say: Say = silent,
) -> None:
    """Build the simulator that `simulate` runs for the same arguments, unless it is cached."""
    chip = described(arch)
    host.prepare(job_of(chip, program, images).work(), hosted(chip), builds=builds, say=say)


def job_of(chip: Chip, program: Program, images: NDArray[Any]) -> Job:
    """Return the job that runs a program on images."""
    return Job(
        program=program.image.tobytes(),
        images=[packed_image(chip, image) for image in images],
        run_images=program.facts.images,
        interval=chip.interval,
        image_stride=image_stride(chip),
        answer_stride=answer_stride(chip),
    )


def simulated_runs(
    commands: Sequence[ChipRun], program: Program, chip: Chip, *, waves: Path | None = None
) -> Iterator[SimulatedRun]:
    """Yield the runs with their maps; raise SimulationError for a command that did not finish."""
    for command in commands:
        command.check(ErrorCode, program.facts.images)
    load, *others = commands
    for run in others:
        first, count = run.number * program.facts.images, len(run.answers)
        written, strobes = written_cycles(run, chip, count), strobes_of(run, chip)
        counters = dict(run.registers)
        cycles, load_cycles = counters.pop("cycles"), counters.pop("load_cycles")
        held = counters.pop("held_clocks")
        del counters["error"]
        yield SimulatedRun(
            images=tuple(range(first, first + count)),
            maps=maps_of_images(run, program, chip),
            cycles=cycles,
            load_cycles=load_cycles,
            counters=counters,
            held_clocks=held,
            steps=steps_of(run, program, chip, strobes),
            events=run.events,
            strobes=strobes,
            written=named(written, program, chip, count),
            loading=load.cycles,
            waves=waves,
        )


def maps_of_images(run: ChipRun, program: Program, chip: Chip) -> list[dict[str, NDArray[Any]]]:
    """Return the maps of each image by the names of the network; of an answer what is in memory."""
    count = len(run.answers)
    return named(maps_of(run, chip, count) | answers_of(run, chip), program, chip, count)


def named(
    maps: Mapping[str, NDArray[Any]], program: Program, chip: Chip, count: int
) -> list[dict[str, NDArray[Any]]]:
    """Return maps of the layers of a chip by image, under the names of the network.

    What a layer stores may be a part of a map that the network has whole alone: it has no name.
    """
    names, fused = names_of(program, chip), program.facts.fused
    known = {name: one for name, one in maps.items() if names[name] not in fused}
    return [{names[name]: one[n] for name, one in known.items()} for n in range(count)]


def names_of(program: Program, chip: Chip) -> dict[str, str]:
    """Return what the network calls the map of each layer of a chip."""
    return {
        layer.layer.name: plan.map
        for layer, plan in zip(chip.layers, program.facts.layers, strict=True)
    }


def steps_of(
    run: ChipRun, program: Program, chip: Chip, strobes: Sequence[Strobes]
) -> tuple[Step, ...]:
    """Return the steps of a run, from the strobes that were seen."""
    count, clocks = len(run.answers), first_clocks(run)
    found = [Step(name=INPUT, layer=INPUT, begin=0, end=int(clocks[0]))]
    for image in range(count):
        for layer, plan in zip(chip.layers, program.facts.layers, strict=True):
            own = [each for each in strobes if each.layer == layer.place]
            begins = own[0].clock[image * layer.blocks :]
            ends = own[-1].clock[: (image + 1) * layer.blocks]
            if begins.size and ends.size:
                name = step_name(plan.name, image, count)
                step = Step(name=name, layer=plan.name, begin=int(begins[0]), end=int(ends[-1]))
                found.append(step)
    over = int(clocks[-1]) + chip.step_clocks
    return (*found, Step(name=END, layer=END, begin=over, end=run.cycles))
