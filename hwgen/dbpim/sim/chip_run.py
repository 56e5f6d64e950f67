"""A whole DB-PIM chip without Python: what its host is told of a job, and what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwgen.chip.limits import RunLimits
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.layouts import places
from hwgen.chip.sim import host
from hwgen.chip.sim.cache import Say, silent
from hwgen.chip.sim.host import NO_LIMITS, Command, HostedChip, Work, positions
from hwgen.chip.sim.host_files import PROGRAM_ADDRESS, UNWRITTEN, pages, smallest_memory
from hwgen.chip.sim.simulator import Simulator
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.events import EVENTS
from hwgen.dbpim.facts.registers import REGISTERS
from hwgen.dbpim.rtl.chip import Chip
from hwgen.dbpim.rtl.core_events import core_pulses
from hwgen.dbpim.rtl.layouts import bus_write, position, vector_write
from hwgen.dbpim.sim.stores import Stores, read_stores

WATCH = Path(__file__).parent / "watch.v"
BLOCKS = Path(__file__).parent / "blocks.vlt"
MANY_MACROS = 16
"""Macros of a chip from which on its core is compiled once, not once a copy."""
TRACE = ", ".join(
    f".trace__{port}({wire})"
    for port, wire in (
        *((name, name) for name in ("write_valid", "write", "retire", "running")),
        *(("private_valid", "private_valid"), ("private_write", "private_write")),
        ("events", "pulses"),
    )
)
"""How the ports of the trace meet the wires of `watch.v`."""

ChipRun = host.ChipRun[Stores]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a host has the chip do.

    program: its bytes; images: those of all images of a run, for each run
    answer_bytes: of a run; scratch_bytes: of the space that all runs use
    others: as of `hwgen.chip.sim.host.Work`
    """

    program: bytes
    images: Sequence[bytes]
    answer_bytes: int
    scratch_bytes: int = 0
    latency: int
    trouble: Trouble = NO_TROUBLE
    seed: int = 1
    reset_at: int = 0
    limits: RunLimits = NO_LIMITS


@cache
def hosted(arch: Arch) -> HostedChip:
    """Return the chip with what its host is told; of a large one a core is compiled once.

    Simulators of large chips are built in a tenth of the time so, those of small ones run slower.
    """
    large = arch.cores * arch.macros_per_core >= MANY_MACROS
    return HostedChip(
        name=arch.name,
        top="dbpim_chip",
        modules=verilog_modules(Chip(arch=arch)),
        watch=watch(arch),
        trace=TRACE,
        sizes={
            "CORES": arch.cores,
            "MACROS": arch.macros_per_core,
            "LANES": arch.bus_words,
            "BYTES": arch.macro.compartments,
            "FILTERS": arch.filters,
            "PULSES": core_pulses(arch).size,
            **positions("WRITE", places(bus_write(arch))),
            **positions("VECTOR", places(vector_write(arch))),
            **positions("PLACE", places(position())),
        },
        registers=REGISTERS,
        events=tuple(EVENTS),
        port_bytes=arch.port_bytes,
        controls={BLOCKS.name: BLOCKS.read_text(encoding="utf-8")} if large else {},
        args=["--hierarchical"] if large else [],
    )


def watch(arch: Arch) -> str:
    """Return `watch.v` with a count for each kind of pulse of a core: its bits that are set."""
    counts = "".join(
        f"        count(EVENT_{name.upper()}, $countones(one[{place}+:{width}]));\n"
        for name, (place, width) in places(core_pulses(arch)).items()
    )
    text = WATCH.read_text(encoding="utf-8")
    return text.replace("        // insert: pulses\n", counts)


def run_chip(
    job: Job,
    arch: Arch,
    folder: Path,
    *,
    builds: Path | None = None,
    say: Say = silent,
) -> list[ChipRun]:
    """Return every run, those included that a reset cut short; see `hwgen.chip.sim.host`."""
    work = work_of(job)
    host.run_host(work, lambda: hosted(arch), folder, name=arch.name, builds=builds, say=say)
    return read_folder(folder, arch, job.limits)


def read_folder(folder: Path, arch: Arch, limits: RunLimits = NO_LIMITS) -> list[ChipRun]:
    """Return the runs that a host left in a folder."""
    return host.read_runs(
        folder,
        lambda path: read_stores(path, arch.macro.compartments),
        registers=REGISTERS,
        events=tuple(EVENTS),
        limits=limits,
    )


def simulator_of(job: Job, arch: Arch) -> Simulator:
    """Return the simulator that runs a job; its memory is the smallest one that is enough."""
    return host.simulator_of(hosted(arch), work_of(job).memory_bytes)


def work_of(job: Job) -> Work:
    """Return what the host is told of a job: a start for each run, each with its answers."""
    content, addresses = place(job)
    commands = [
        Command(
            number=run,
            registers={
                "program_address": addresses["program"],
                "image_address": addresses["image"] + run * addresses["image_stride"],
                "logits_address": addresses["answers"] + run * addresses["answers_stride"],
                "scratch_address": addresses["scratch"],
            },
            answers=[
                (run, addresses["answers"] + run * addresses["answers_stride"], job.answer_bytes)
            ],
        )
        for run in range(len(job.images))
    ]
    return Work(
        content=content,
        memory_bytes=memory_bytes(job, addresses),
        commands=commands,
        latency=job.latency,
        trouble=job.trouble,
        seed=job.seed,
        reset_at=job.reset_at,
        limits=job.limits,
    )


def place(job: Job) -> tuple[dict[int, bytes], dict[str, int]]:
    """Return the memory content by address, and the addresses for the host."""
    image_stride = pages(max(map(len, job.images)))
    answers_stride = pages(job.answer_bytes)
    image = PROGRAM_ADDRESS + pages(len(job.program))
    answers = image + len(job.images) * image_stride
    addresses = {
        "program": PROGRAM_ADDRESS,
        "image": image,
        "image_stride": image_stride,
        "answers": answers,
        "answers_stride": answers_stride,
        "scratch": answers + len(job.images) * answers_stride,
    }
    content = {PROGRAM_ADDRESS: job.program}
    content |= {image + n * image_stride: data for n, data in enumerate(job.images)}
    content[answers] = bytes([UNWRITTEN]) * (len(job.images) * answers_stride)
    return content, addresses


def memory_bytes(job: Job, addresses: dict[str, int]) -> int:
    """Return the size of a simulated memory; raise SimulationError if none is large enough."""
    needed = addresses["scratch"] + job.scratch_bytes
    what = "program, images, answers and scratch space"
    return smallest_memory(needed, what=what, runs=len(job.images))
