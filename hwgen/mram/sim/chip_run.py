"""A whole MRAM chip without Python: one executable for each architecture runs any program.

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
from hwgen.chip.widths import bits_for_index
from hwgen.files.patience import Ticker
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.rtl.chip import Chip
from hwgen.mram.sim.stores import Stores, read_stores

HOST = Path(__file__).parent / "host.v"
TOP = "host"
EVENTS_FILE = "events.txt"
STORES_FILE = "stores.txt"
MEMORY_FILE = "memory.hex"
MODES_FILE = "modes.hex"
WAVES_FILE = "waves.vcd"

REGISTERS = (
    *("error", "cycles", "load_cycles", "layers", "images_done", "active_mode"),
    *("and_operations", "input_row_writes", "weight_row_writes", "refused_row_writes"),
)
"""Registers of an `end` line, in their order, after the status."""


NO_LIMITS = RunLimits()


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a host has the chip do: load the program, and the tables if there are any, then run.

    program: its bytes; tables: those of a program without weight rows; empty: none
    images: the bytes of each image; modes: its mode
    run_images: images of a run; the last run has what is left
    image_stride, answer_stride: of the program; answer_bytes: of one image
    latency, stall, seed, error_address: of the memory, see memory.v
    reset_at: cycle of the first run in which to reset and begin again; 0: never
    limits: after which a command counts as hanging
    """

    program: bytes
    tables: bytes = b""
    images: Sequence[bytes]
    modes: Sequence[int]
    run_images: int
    image_stride: int
    answer_stride: int
    answer_bytes: int
    latency: int
    stall: int = 0
    seed: int = 1
    error_address: int | None = None
    reset_at: int = 0
    limits: RunLimits = NO_LIMITS

    @property
    def runs(self) -> int:
        """Starts of the chip, without those that load."""
        return -(-len(self.images) // self.run_images)


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """A record that is over: its number, the mode of its image, and the events until then."""

    cycle: int
    mode: int
    record: int
    events: dict[str, int]


@dataclass(kw_only=True)
class ChipRun:
    """One command of a chip: what the trace showed, then registers and answers read back after it.

    loads: it is LOAD; number: of the run
    stores: writes to banks and answers; begun: cycle in which each image's mode was taken
    rest: events after the last retirement; gave_up: why the host ended a command that was still
        busy; registers: those of `REGISTERS`
    answers: of each image, uint8, in memory after the run
    """

    loads: bool
    number: int = 0
    stores: Stores
    begun: list[int] = field(default_factory=list)
    retired: list[Retirement] = field(default_factory=list)
    rest: dict[str, int] = field(default_factory=dict)
    busy: bool = True
    gave_up: str = ""
    done: bool = False
    registers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REGISTERS, 0))
    answers: list[NDArray[np.uint8]] = field(default_factory=list)

    @property
    def error(self) -> int:
        """Code of the error that stopped the chip."""
        return self.registers["error"]

    @property
    def events(self) -> dict[str, int]:
        """Events of the whole command."""
        parts = [*(each.events for each in self.retired), self.rest]
        return {name: sum(part.get(name, 0) for part in parts) for name in EVENTS}


@cache
def chip_simulator(arch: Arch, *, memory_bytes: int, waves: bool = False) -> Simulator:
    """Return the simulator of a chip with its host and memory; `waves` makes it slower."""
    sources = sources_with_host(verilog_modules(Chip(arch=arch)), HOST, waves=waves)
    name, args = arch.name, host_parameters(arch, memory_bytes)
    if waves:
        name, args = f"{name} with waves", [*args, "--trace"]
    return Simulator(
        name=name, sources=sources, top=TOP, args=args, optimize=QUICK if waves else FAST
    )


def host_parameters(arch: Arch, memory_bytes: int) -> list[str]:
    """Return Verilator's arguments for the parameters of host.v."""
    sizes = {
        "PORT_BITS": arch.port_bits,
        "MEMORY_BEATS": memory_bytes // arch.port_bytes,
        "OCTETS": arch.octets,
        "BLOCK": arch.block,
        "SEGMENTS": arch.segments,
        "COLUMNS": arch.array.columns,
        "ROW_BITS": arch.row_index_bits,
        "ELEMENTS": arch.row_bytes // arch.element_bytes,
        "RECORD_BITS": bits_for_index(arch.record_entries),
        "INDEX_BITS": bits_for_index(arch.answer_entries // arch.block),
        "ANSWER_BITS": arch.answer_bits,
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
    """Return every command, those included that a reset cut short.

    folder: where the simulation reads and writes its files; waves go to `waves.vcd` there
    builds, say: see `hwgen.chip.sim.simulator.build_simulator`
    Raises SimulationError when the memory is too small or the simulation ends early.
    """
    content, addresses = place(job)
    write_inputs(job, content, arch, folder)
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
    return read_commands(folder / EVENTS_FILE, folder / STORES_FILE, arch, job.limits)


def simulator_of(job: Job, arch: Arch, *, waves: bool = False) -> Simulator:
    """Return the simulator that runs a job; its memory is the smallest one that is enough."""
    _, addresses = place(job)
    return chip_simulator(arch, memory_bytes=memory_bytes(job, addresses), waves=waves)


def write_inputs(job: Job, content: dict[int, bytes], arch: Arch, folder: Path) -> None:
    """Write what the host reads: the memory, and the mode of each image."""
    memory = beats_text(content, arch.port_bytes)
    (folder / MEMORY_FILE).write_text(memory, encoding="ascii")
    (folder / MODES_FILE).write_text(modes_text(job.modes), encoding="ascii")


def modes_text(modes: Sequence[int]) -> str:
    """Return a file for `$readmemh`: the mode of each image."""
    return "".join(f"{mode:02x}\n" for mode in modes)


def host_plusargs(job: Job, addresses: dict[str, int]) -> dict[str, object]:
    """Return what every host is told: files, sizes and addresses."""
    return {
        "memory": MEMORY_FILE,
        "modes": MODES_FILE,
        "events": EVENTS_FILE,
        "stores": STORES_FILE,
        "runs": job.runs,
        "images": job.run_images,
        "total": len(job.images),
        "words": job.answer_bytes // ANSWER_BYTES,
        "latency": job.latency,
        **{name: f"{address:x}" for name, address in addresses.items()},
    }


def place(job: Job) -> tuple[dict[int, bytes], dict[str, int]]:
    """Return the memory content by address, and the addresses for the host."""
    tables = PROGRAM_ADDRESS + pages(len(job.program))
    image = tables + pages(len(job.tables))
    answer = image + pages(len(job.images) * job.image_stride)
    addresses = {
        "program": PROGRAM_ADDRESS,
        "tables": tables if job.tables else 0,
        "image": image,
        "image_stride": job.image_stride,
        "answer": answer,
        "answer_stride": job.answer_stride,
    }
    content = {PROGRAM_ADDRESS: job.program}
    if job.tables:
        content[tables] = job.tables
    content |= {image + n * job.image_stride: data for n, data in enumerate(job.images)}
    content[answer] = bytes([UNWRITTEN]) * (len(job.images) * job.answer_stride)
    return content, addresses


def memory_bytes(job: Job, addresses: dict[str, int]) -> int:
    """Return the size of a simulated memory; raise SimulationError if none is large enough."""
    needed = addresses["answer"] + pages(len(job.images) * job.answer_stride)
    return smallest_memory(needed, what="program, images and answers", runs=job.runs)


def read_commands(
    events: Path, stores: Path, arch: Arch, limits: RunLimits = NO_LIMITS
) -> list[ChipRun]:
    """Return the commands of an event file; one that never ended is still busy.

    Raises SimulationError when a file was cut off.
    """
    runs: list[ChipRun] = []
    words: list[dict[int, list[int]]] = []
    stored = read_stores(stores, arch)
    starts = 0
    lines = event_lines(events)
    for line in lines:
        kind, *fields = line.split()
        if kind in ("load", "start"):
            loads = kind == "load"
            starts += not loads
            number = 0 if loads else int(fields[0])
            of_run = stored.of_start(-1 if loads else starts)
            runs.append(ChipRun(loads=loads, number=number, stores=of_run))
            words.append({})
        elif kind == "answer":
            words[-1].setdefault(int(fields[0]), []).append(int(fields[2], 16))
        elif runs:
            read_event(runs[-1], kind, [int(each) for each in fields])
    if runs and runs[-1].busy:
        runs[-1].gave_up = gave_up(lines, limits)
    for run, found in zip(runs, words, strict=True):
        run.answers = [np.array(each, "<u4").view(np.uint8) for each in found.values()]
    return runs


def read_event(run: ChipRun, kind: str, fields: Sequence[int]) -> None:
    """Store what a line says about a command."""
    if kind == "image":
        run.begun.append(fields[0])
    elif kind == "retire":
        cycle, mode, record, *counts = fields
        events = dict(zip(EVENTS, counts, strict=True))
        run.retired.append(Retirement(cycle=cycle, mode=mode, record=record, events=events))
    elif kind == "rest":
        run.rest = dict(zip(EVENTS, fields, strict=True))
    elif kind == "end":
        status, *registers = fields
        run.busy, run.done = bool(status & 1), bool(status >> 1 & 1)
        run.registers = dict(zip(REGISTERS, registers, strict=True))
