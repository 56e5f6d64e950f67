"""Run a program on the RTL of an MRAM chip; its maps follow from the writes to its banks.

Tests: `tests/verif/test_sizes_of_one.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
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
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.image import answer_bytes, pack_image
from hwgen.mram.facts.program import Program
from hwgen.mram.facts.registers import ErrorCode
from hwgen.mram.sim.chip_run import ChipRun, Job, hosted, mode_and_record
from hwgen.mram.sim.maps import retired_steps, stored_maps

STORING = ("bank_writes", "sums", "dpu_results")
"""Events of which each write to a bank or to the answers has at least one."""
END = "end"
"""Name of the last step: from the last retirement to the end of the run."""


@dataclass(frozen=True, kw_only=True)
class SimulatedRun(runs.SimulatedRun):
    """One run of the chip: a step for each retirement, then `end`.

    modes: of each image, as its steps tell; loads: cycles of each command LOAD before the first run
    """

    loads: tuple[int, ...]


def simulate(
    arch: Arch,
    program: Program,
    images: NDArray[Any],
    *,
    modes: Sequence[int] | None = None,
    tables: Program | None = None,
    waves: Waves | None = None,
    trouble: Trouble = NO_TROUBLE,
    seed: int = 1,
    limits: RunLimits = NO_LIMITS,
    replacements: Replacements = NO_REPLACEMENTS,
    builds: Path | None = None,
    say: Say = silent,
) -> list[SimulatedRun]:
    """Return every run; the chip loads once, then the runs come one after the other.

    images: unsigned NHWC, of the widest mode; modes: index of the mode of each; None: all 0
    tables: a program without weight rows that is loaded after `program`, and then runs
    trouble: that the memory makes; seed: of memories and registers at power-on
    limits: after which a run counts as hanging; replacements: of parts of the chip
    builds: folder of simulators; None: the user's cache (HWGEN_BUILD_ROOT overrides both)
    say: receives a message before a simulator is built, which takes a minute or more
    Raises SimulationError when the chip stops with an error or does not stop at all, OutputError
    when `builds` cannot be written, MissingToolError without Verilator.
    """
    wanted = [0] * len(images) if modes is None else list(modes)
    job = job_of(
        arch,
        program,
        images,
        modes=wanted,
        tables=tables,
        trouble=trouble,
        seed=seed,
        limits=limits,
    )
    commands, file = host.run_hosted(
        job.work(), hosted(arch, replacements), waves=waves, builds=builds, say=say
    )
    return list(simulated_runs(commands, tables or program, arch, waves=file))


def begin(arch: Arch, replacements: Replacements = NO_REPLACEMENTS) -> None:
    """Begin to write the Verilog of a chip, in a thread, for a `simulate` that comes later."""
    _ = hosted(arch, replacements).written


def prepare(
    arch: Arch,
    program: Program,
    images: NDArray[Any],
    *,
    builds: Path | None = None,
    say: Say = silent,
) -> None:
    """Build the simulator that `simulate` runs for the same arguments, unless it is cached."""
    job = job_of(arch, program, images, modes=[0] * len(images))
    host.prepare(job.work(), hosted(arch), builds=builds, say=say)


def job_of(
    arch: Arch,
    program: Program,
    images: NDArray[Any],
    *,
    modes: Sequence[int],
    tables: Program | None = None,
    trouble: Trouble = NO_TROUBLE,
    seed: int = 1,
    limits: RunLimits = NO_LIMITS,
) -> Job:
    """Return the job that runs a program on images.

    A byte of the program takes a cycle to load at most, and longer by the cycles without a stall.
    """
    facts = (tables or program).facts
    return Job(
        program=program.image.tobytes(),
        tables=b"" if tables is None else tables.image.tobytes(),
        images=[pack_image(image, facts.image, arch) for image in images],
        modes=modes,
        run_images=facts.images,
        image_stride=facts.image.stride,
        answer_stride=facts.answer.stride,
        answer_bytes=max(plan.offset + answer_bytes(plan, arch) for plan in facts.answers),
        latency=arch.memory_latency_cycles,
        trouble=trouble,
        seed=seed,
        limits=replace(
            limits, cycles=limits.cycles + len(program.image) * 100 // (100 - trouble.stall)
        ),
    )


def simulated_runs(
    commands: Sequence[ChipRun],
    program: Program,
    arch: Arch,
    *,
    waves: Path | None = None,
) -> Iterator[SimulatedRun]:
    """Yield the runs with their maps; raise SimulationError for a command that did not finish."""
    for command in commands:
        command.check(ErrorCode, program.facts.images)
    loads = tuple(each.cycles for each in commands if each.loads)
    written = 0
    for run in commands:
        before, written = written, run.registers["weight_row_writes"]
        if run.loads:
            continue
        first = run.number * program.facts.images
        images = tuple(range(first, first + len(run.answers)))
        stored = stored_maps(run, program, arch)
        maps = [{name: one.data for name, one in found.items()} for found in stored]
        counters = dict(run.registers)
        cycles, load_cycles = counters.pop("cycles"), counters.pop("load_cycles")
        del counters["error"]
        yield SimulatedRun(
            images=images,
            modes=modes_of(run, program),
            image_cycles=image_cycles(run, program),
            maps=maps,
            cycles=cycles,
            load_cycles=load_cycles,
            counters=counters,
            weight_row_writes=written - before,
            steps=steps_of(run, program),
            step_events=[*(each.events for each in run.retired), run.rest],
            events=run.events,
            written=[{name: one.cycles for name, one in found.items()} for found in stored],
            loading=sum(loads),
            loads=loads,
            waves=waves,
        )


def modes_of(run: ChipRun, program: Program) -> tuple[int, ...]:
    """Return the mode of each image that has begun, by the retirement of its first step."""
    found: dict[int, int] = {}
    for step in retired_steps(run, program):
        mode, _ = mode_and_record(step.retirement)
        found.setdefault(step.image, mode)
    return tuple(found.values())


def image_cycles(run: ChipRun, program: Program) -> tuple[int, ...]:
    """Return the cycles of each image, from the end of the one before it to its own."""
    begins: dict[int, int] = {}
    for step in retired_steps(run, program):
        begins.setdefault(step.image, step.begin)
    bounds = (*begins.values(), run.registers["cycles"])
    return tuple(end - begin for begin, end in pairwise(bounds))


def steps_of(run: ChipRun, program: Program) -> tuple[Step, ...]:
    """Return the steps with the cycles of their retirements, and the end of the run."""
    several = len(run.answers) > 1
    steps = []
    for step in retired_steps(run, program):
        name = f"{step.image}.{step.plan.name}" if several else step.plan.name
        end = step.retirement.cycle
        steps.append(Step(name=name, layer=step.plan.layer, begin=step.begin, end=end))
    begin = run.retired[-1].cycle if run.retired else 0
    end = run.registers["cycles"]
    return (*steps, Step(name=END, layer=END, begin=begin, end=end))
