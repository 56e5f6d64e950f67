"""Run a program on the RTL of a chip; its maps follow from the words that it stores."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
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
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.image import pack_image, unpack_answer
from hwgen.dbpim.facts.instructions import ErrorCode
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.sim.chip_run import Call, ChipRun, Job, hosted
from hwgen.dbpim.sim.maps import StoredMap, stored_maps
from hwgen.dbpim.sim.stores import Stores
from hwgen.network import INPUT

Bytes = NDArray[np.uint8]

STORING = ("bank_bytes", "bus_bytes")
"""Events of which each word that is stored has at least one."""


@dataclass(frozen=True, kw_only=True)
class SimulatedRun(runs.SimulatedRun):
    """One run of the chip; stores: words that it stored."""

    stores: Stores


def simulate(
    arch: Arch,
    program: Program,
    images: Bytes | Sequence[Bytes],
    *,
    waves: Waves | None = None,
    trouble: Trouble = NO_TROUBLE,
    seed: int = 1,
    limits: RunLimits = NO_LIMITS,
    replacements: Replacements = NO_REPLACEMENTS,
    builds: Path | None = None,
    say: Say = silent,
    calls: Sequence[Call] = (),
    others: Sequence[Program] = (),
) -> list[SimulatedRun]:
    """Return every run; the runs come one after the other in one simulation.

    images: uint8 NHWC; where the last run has fewer than the program takes, its last one repeats;
        with others a list, each as its program takes it
    trouble: that the memory makes; seed: of memories and registers at power-on
    limits: after which a run counts as hanging; replacements: of parts of the chip
    builds: folder of simulators; None: the user's cache (HWGEN_BUILD_ROOT overrides both)
    say: receives a message before a simulator is built, which takes a minute or more
    calls: of a network with states, one for each image; empty: one stream from position 0 on
    others: programs that calls name, of the same network with other tokens a call
    Raises SimulationError when the chip stops with an error or does not stop at all, OutputError
    when `builds` cannot be written, MissingToolError without Verilator.
    """
    given: dict[str, Any] = {"trouble": trouble, "seed": seed, "limits": limits}
    job = job_of(arch, program, images, calls=calls, others=others, **given)
    found, file = host.run_hosted(
        job.work(), hosted(arch, replacements), waves=waves, builds=builds, say=say
    )
    programs = [[program, *others][call.program] for call in calls] or [program] * len(found)
    return list(simulated_runs(found, programs, arch, images, waves=file))


def begin(arch: Arch, replacements: Replacements = NO_REPLACEMENTS) -> None:
    """Begin to write the Verilog of a chip, in a thread, for a `simulate` that comes later."""
    _ = hosted(arch, replacements).written


def prepare(
    arch: Arch,
    program: Program,
    images: Bytes,
    *,
    builds: Path | None = None,
    say: Say = silent,
) -> None:
    """Build the simulator that `simulate` runs for the same arguments, unless it is cached."""
    host.prepare(job_of(arch, program, images).work(), hosted(arch), builds=builds, say=say)


def job_of(
    arch: Arch,
    program: Program,
    images: Bytes | Sequence[Bytes],
    *,
    trouble: Trouble = NO_TROUBLE,
    seed: int = 1,
    limits: RunLimits = NO_LIMITS,
    calls: Sequence[Call] = (),
    others: Sequence[Program] = (),
) -> Job:
    """Return the job that runs a program on images; calls, others: as of `simulate`."""
    facts = program.facts
    plans = [[program, *others][call.program].facts.image for call in calls]
    plans = plans or [facts.image] * len(images)
    packed = [pack_image(image, plan, arch) for image, plan in zip(images, plans, strict=True)]
    packed += [packed[-1]] * (-len(packed) % facts.images)
    spaces = [image.ljust(facts.image.stride, b"\0") for image in packed]
    return Job(
        program=program.image.tobytes(),
        images=[
            b"".join(spaces[first : first + facts.images])
            for first in range(0, len(spaces), facts.images)
        ],
        answer_bytes=max(each.facts.answer_bytes for each in (program, *others)),
        scratch_bytes=max(each.facts.scratch_bytes for each in (program, *others)),
        states=facts.state_bytes,
        calls=calls or default_calls(program, len(packed)),
        pixel_bytes=facts.pixel_bytes,
        others=[each.image.tobytes() for each in others],
        latency=arch.memory_latency_cycles,
        trouble=trouble,
        seed=seed,
        limits=limits,
    )


def default_calls(program: Program, runs: int) -> list[Call]:
    """Return the calls of one stream, of a network with states or positions; else none."""
    facts = program.facts
    if not facts.states and not facts.positions:
        return []
    return [Call(position=run if facts.positions else 0) for run in range(runs)]


def simulated_runs(
    starts: Sequence[ChipRun],
    programs: Sequence[Program],
    arch: Arch,
    inputs: Bytes | Sequence[Bytes],
    *,
    waves: Path | None = None,
) -> Iterator[SimulatedRun]:
    """Yield the runs with their maps; raise SimulationError for a run that did not finish.

    programs: of each run; inputs: the images; of a pixel that no window reads, the chip stores
        nothing, and pixels that come in tiles of columns are not known
    """
    for run, program in zip(starts, programs, strict=True):
        facts = program.facts
        first = run.number * facts.images
        images = tuple(range(first, min(first + facts.images, len(inputs))))
        run.check(ErrorCode, facts.images)
        stored = stored_maps(run, program, arch)[: len(images)]
        for image, found in zip(images, stored, strict=True):
            shape = inputs[image].shape
            nothing = StoredMap(np.zeros(shape, np.uint8), np.zeros(shape, np.int64))
            known = found.setdefault(INPUT, nothing)
            # A map of another shape has pixels that no image has: it differs as it is.
            if known.data.shape == shape:
                unread = known.cycles == 0
                known.data[unread] = inputs[image][unread]
        yield SimulatedRun(
            images=images,
            maps=[maps_of(run, found, program, arch, n) for n, found in enumerate(stored)],
            cycles=run.cycles,
            load_cycles=run.registers["load_cycles"],
            counters={"layers": run.registers["layers"]},
            events=run.events,
            steps=steps_of(run, program),
            step_events=[each.events for each in run.retired],
            stores=run.stores,
            written=[{name: one.cycles for name, one in found.items()} for found in stored],
            waves=waves,
        )


def maps_of(
    run: ChipRun, stored: Mapping[str, StoredMap], program: Program, arch: Arch, image: int
) -> dict[str, NDArray[Any]]:
    """Return all maps of one image of a run; outputs are what the memory holds."""
    maps: dict[str, NDArray[Any]] = {name: one.data for name, one in stored.items()}
    for plan in program.facts.answers:
        content = run.answer[plan.offsets[image] :][: plan.size].tobytes()
        maps[plan.layer] = unpack_answer(content, plan, arch)
    return maps


def steps_of(run: ChipRun, program: Program) -> tuple[Step, ...]:
    """Return the steps with the cycles of their retirements."""
    ends = run.retired_at
    return tuple(
        Step(name=plan.name, layer=plan.layer, begin=begin, end=end)
        for plan, begin, end in zip(program.facts.steps, [0, *ends], ends, strict=False)
    )
