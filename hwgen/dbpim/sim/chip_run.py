"""A whole chip without Python: one executable for each architecture runs any program.

`host.v` says how the simulation is told what to do and what it writes down; this module writes the
one and reads the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.limits import RunLimits
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.sim.cache import Say, silent
from hwgen.chip.sim.host_files import (
    ANSWER_BYTES,
    PROGRAM_ADDRESS,
    UNWRITTEN,
    beats_text,
    event_lines,
    gave_up,
    pages,
    smallest_memory,
    sources_with_host,
)
from hwgen.chip.sim.simulator import FAST, QUICK, Simulator, run_simulator
from hwgen.chip.sim.waves import Waves
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.events import EVENTS
from hwgen.dbpim.facts.instructions import ROW_BITS
from hwgen.dbpim.rtl.chip import Chip
from hwgen.dbpim.rtl.layouts import bus_write
from hwgen.dbpim.sim.stores import Stores, read_stores
from hwgen.files.patience import Ticker

HOST = Path(__file__).parent / "host.v"
BLOCKS = Path(__file__).parent / "blocks.vlt"
TOP = "host"
EVENTS_FILE = "events.txt"
STORES = "stores.txt"
WAVES_FILE = "waves.vcd"
MANY_MACROS = 16
"""Macros of a chip from which on its core is compiled once, not once a copy."""


NO_LIMITS = RunLimits()


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a host has the chip do.

    program: its bytes; images: those of all images of a run, for each run
    answer_bytes: of a run; scratch_bytes: of the space that all runs use
    latency, stall, seed, error_address: of the memory, see memory.v
    reset_at: cycle of the first run in which to reset and begin again; 0: never
    limits: after which a run counts as hanging
    """

    program: bytes
    images: Sequence[bytes]
    answer_bytes: int
    scratch_bytes: int = 0
    latency: int
    stall: int = 0
    seed: int = 1
    error_address: int | None = None
    reset_at: int = 0
    limits: RunLimits = NO_LIMITS


@dataclass(kw_only=True)
class ChipRun:
    """One start of a chip: what the trace showed, then registers and answers read back after it.

    retired: cycles in which steps were over; counted: events of each step
    rest: events after the last retirement
    gave_up: why the host ended a run that was still busy
    stores: words on the write bus and private ones; answers: uint8, in memory after the run
    """

    number: int
    stores: Stores
    retired: list[int] = field(default_factory=list)
    counted: list[dict[str, int]] = field(default_factory=list)
    rest: dict[str, int] = field(default_factory=dict)
    busy: bool = True
    gave_up: str = ""
    done: bool = False
    error: int = 0
    cycles: int = 0
    load_cycles: int = 0
    layers: int = 0
    answers: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))


@cache
def chip_simulator(arch: Arch, *, memory_bytes: int, waves: bool = False) -> Simulator:
    """Return the simulator of a chip with its host and memory; `waves` makes it slower."""
    sources = sources_with_host(verilog_modules(Chip(arch=arch)), HOST, waves=waves)
    name, args = arch.name, host_parameters(arch, memory_bytes)
    if waves:
        name, args = f"{name} with waves", [*args, "--trace"]
    elif block_args(arch):
        args = [*args, *block_args(arch)]
        sources[BLOCKS.name] = BLOCKS.read_text(encoding="utf-8")
    return Simulator(
        name=name, sources=sources, top=TOP, args=args, optimize=QUICK if waves else FAST
    )


def block_args(arch: Arch) -> list[str]:
    """Return what has Verilator compile a core once, not once a copy; it then needs BLOCKS.

    Simulators of large chips are built in a tenth of the time, those of small ones run slower.
    """
    return ["--hierarchical"] if arch.cores * arch.macros_per_core >= MANY_MACROS else []


def host_parameters(arch: Arch, memory_bytes: int) -> list[str]:
    """Return Verilator's arguments for the parameters of host.v."""
    layout = bus_write(arch)
    sizes = {
        "PORT_BITS": arch.port_bits,
        "MEMORY_BEATS": memory_bytes // arch.port_bytes,
        "CORES": arch.cores,
        "MACROS": arch.macros_per_core,
        "LANES": arch.bus_words,
        "BYTES": arch.macro.compartments,
        "FILTERS": arch.filters,
        "COLUMNS": arch.macro.columns,
        "ROW_BITS": ROW_BITS,
        "DATA_BITS": layout["data"].width,
        "INDEX_BITS": layout["index"].width,
    }
    return [f"-G{name}={value}" for name, value in sizes.items()]


def run_chip(
    job: Job,
    arch: Arch,
    folder: Path,
    *,
    waves: Waves | None = None,
    builds: Path | None = None,
    say: Say = silent,
) -> list[ChipRun]:
    """Return every run, those included that a reset cut short.

    folder: where the simulation reads and writes its files; waves go to `waves.vcd` there
    builds, say: see `hwgen.chip.sim.simulator.build_simulator`
    Raises SimulationError when the memory is too small or the simulation ends early.
    """
    content, addresses = place(job)
    memory = folder / "memory.hex"
    memory.write_text(beats_text(content, arch.port_bytes), encoding="ascii")
    # The simulation runs in `folder`: file names without a path have no spaces and are short.
    plusargs = {
        **host_plusargs(job, addresses),
        "stall": job.stall,
        "seed": job.seed,
        "reset_at": job.reset_at,
        "limit": job.limits.cycles,
        "most_stores": job.limits.stores,
    }
    if job.error_address is not None:
        plusargs["error_address"] = f"{job.error_address:x}"
    arguments = ["+verilator+rand+reset+2", f"+verilator+seed+{job.seed}"]
    arguments += [f"+{name}={value}" for name, value in plusargs.items()]
    if waves is not None:
        arguments += waves.plusargs(Path(WAVES_FILE))
    with Ticker(f"writing the Verilog of {arch.name}", say):
        simulator = simulator_of(job, arch, waves=waves is not None)
    run_simulator(simulator, arguments, folder=folder, opens=EVENTS_FILE, builds=builds, say=say)
    return read_runs(folder / EVENTS_FILE, folder / STORES, arch, job.limits)


def simulator_of(job: Job, arch: Arch, *, waves: bool = False) -> Simulator:
    """Return the simulator that runs a job; its memory is the smallest one that is enough."""
    _, addresses = place(job)
    return chip_simulator(arch, memory_bytes=memory_bytes(job, addresses), waves=waves)


def host_plusargs(job: Job, addresses: dict[str, int]) -> dict[str, object]:
    """Return what every host is told: files, sizes and addresses."""
    return {
        "memory": "memory.hex",
        "events": EVENTS_FILE,
        "stores": STORES,
        "runs": len(job.images),
        "words": job.answer_bytes // ANSWER_BYTES,
        "latency": job.latency,
        **{name: f"{address:x}" for name, address in addresses.items()},
    }


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


def read_runs(
    events: Path, stores: Path, arch: Arch, limits: RunLimits = NO_LIMITS
) -> list[ChipRun]:
    """Return the runs of an event file; one that never ended is still busy.

    Raises SimulationError when the file was cut off.
    """
    runs: list[ChipRun] = []
    answers: list[list[int]] = []
    lines = event_lines(events)
    stored = read_stores(stores, arch.macro.compartments)
    for line in lines:
        kind, *fields = line.split()
        if kind == "start":
            number = len(runs) + 1
            runs.append(ChipRun(number=int(fields[0]), stores=stored.of_start(number)))
            answers.append([])
        elif kind == "retire":
            runs[-1].retired.append(int(fields[0]))
            runs[-1].counted.append(counts_of(fields[1:]))
        elif kind == "rest":
            runs[-1].rest = counts_of(fields)
        elif kind == "answer":
            answers[-1].append(int(fields[2], 16))
        elif kind == "end":
            end(runs[-1], list(map(int, fields)))
    if runs and runs[-1].busy:
        runs[-1].gave_up = gave_up(lines, limits)
    for run, words in zip(runs, answers, strict=True):
        run.answers = np.array(words, "<u4").view(np.uint8)
    return runs


def counts_of(fields: Sequence[str]) -> dict[str, int]:
    """Return the events of a line by name."""
    return dict(zip(EVENTS, map(int, fields), strict=True))


def end(run: ChipRun, fields: Sequence[int]) -> None:
    """Store the registers that the host read after a run."""
    _, status, run.error, run.cycles, run.load_cycles, run.layers = fields
    run.busy, run.done = bool(status & 1), bool(status >> 1 & 1)
