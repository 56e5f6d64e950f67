"""A whole chip without Python: one executable runs any program, by a host in Verilog.

`host.v` says what its script may hold and what it writes down. This module makes the host of a chip
from the tables of its family, writes the script, and reads what the host wrote.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.limits import RunLimits
from hwgen.chip.registers import BUSY_BIT, DONE_BIT, Register, offsets
from hwgen.chip.sim.cache import Say, build_root, silent, writable
from hwgen.chip.sim.host_files import ANSWER_BYTES, Writes, beats_text, event_lines, gave_up
from hwgen.chip.sim.simulator import (
    FAST,
    MEMORY,
    Simulator,
    build_simulator,
    run_simulator,
    worth,
)
from hwgen.chip.sim.waves import WAVES, Waves
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.errors import DataError, SimulationError
from hwgen.files.patience import Ticker

HOST = Path(__file__).parent / "host.v"
TOP = "host"
MEMORY_FILE, SCRIPT_FILE = "memory.hex", "script.txt"
EVENTS_FILE, STORES_FILE, WAVES_FILE = "events.txt", "stores.txt", "waves.vcd"
UNCHECKED = "beside.vlt"
"""Control file for Verilog of others."""
TOUCHED = "touched "
"""Begin of the line of events that says which bytes of the memory a chip reads and writes."""
NO_LIMITS = RunLimits()
WRITE, START, REQUEST, WAIT, READ, ANSWER = range(1, 7)
"""Operations of the script."""
LOW, HIGH = "_low", "_high"
"""Ends of the names of two registers that hold 64 bits."""

Kept = TypeVar("Kept", bound=Writes)


@dataclass(frozen=True, kw_only=True)
class HostedChip(Generic[Kept]):
    """What a family tells the host of one of its chips.

    name: of the architecture; top: module of the chip; write: makes its Verilog by name
    watch: Verilog that counts events and writes stores; trace: how the ports of the trace connect
    sizes: numbers that `watch` names; events: names in the order of their counts
    read_stores: reads the file of stores; raises SimulationError when it was cut off
    beside: files of Verilog that are no parts of the chip, such as those of replacements, by name
    controls: Verilator's control files by name; args: for Verilator; optimize: for the C++ compiler
    """

    name: str
    top: str
    write: Callable[[], Mapping[str, str]]
    watch: str
    trace: str
    sizes: Mapping[str, int]
    registers: Sequence[Register]
    events: Sequence[str]
    port_bytes: int
    read_stores: Callable[[Path], Kept]
    beside: Mapping[str, str] = field(default_factory=dict)
    controls: Mapping[str, str] = field(default_factory=dict)
    args: Sequence[str] = ()
    optimize: str = FAST

    @cached_property
    def written(self) -> Future[Mapping[str, str]]:
        """The Verilog by the name of the module, which a thread writes from the first use on."""
        threads = ThreadPoolExecutor(1)
        future = threads.submit(self.write)
        threads.shutdown(wait=False)
        return future

    @property
    def modules(self) -> Mapping[str, str]:
        """The Verilog by the name of the module; the first use takes seconds of a large chip."""
        return self.written.result()


@dataclass(frozen=True, kw_only=True)
class Command:
    """One start of a chip.

    number: of the run; loads: it loads a program
    registers: values to write before it, by name; of two registers of 64 bits without its end
    requests: (images begun, register, value) to write while it runs
    answers: (label, address, bytes) of the memory to report afterwards
    """

    number: int
    loads: bool = False
    registers: Mapping[str, int]
    requests: Sequence[tuple[int, str, int]] = ()
    answers: Sequence[tuple[int, int, int]] = ()


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a host has a chip do: the content of the memory by address, and the starts.

    latency: of the memory in cycles; trouble: that it makes, see memory.v; seed: of power-on,
        0: zeros, -1: ones
    reset_at: cycle of the first run in which to reset and begin again; 0: never
    limits: after which a start counts as hanging; plusargs: further ones that the chip reads
    """

    content: Mapping[int, bytes]
    memory_bytes: int
    commands: Sequence[Command]
    latency: int
    trouble: Trouble = NO_TROUBLE
    seed: int = 1
    reset_at: int = 0
    limits: RunLimits = NO_LIMITS
    plusargs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """A step that is over: the family's tag, and the events since the one before it."""

    cycle: int
    tag: int
    events: dict[str, int]


@dataclass(kw_only=True)
class ChipRun(Generic[Kept]):
    """One start of a chip: what the trace showed, then registers and answers read back after it.

    number: of the run; loads: it loads a program
    stores: what it stored; begun: cycles in which images began
    rest: events after the last retirement; gave_up: why the host ended a start that was still busy
    registers: all that a host may read, by name, of 64 bits without its end
    answers: uint8 by label, in memory after the run
    """

    number: int
    loads: bool = False
    stores: Kept
    begun: list[int] = field(default_factory=list)
    retired: list[Retirement] = field(default_factory=list)
    rest: dict[str, int] = field(default_factory=dict)
    busy: bool = True
    gave_up: str = ""
    done: bool = False
    registers: dict[str, int] = field(default_factory=dict)
    answers: dict[int, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def error(self) -> int:
        """Code of the error that stopped the chip."""
        return self.registers.get("error", 0)

    def check(self, errors: type[IntEnum], images: int) -> None:
        """Raise SimulationError unless the start ended without an error; `images`: of a run."""
        first = self.number * images
        run = f"image {first}" if images == 1 else f"the run from image {first} on"
        where = "the load" if self.loads else run
        if self.busy:
            raise SimulationError(f"{self.gave_up} ({where})")
        if not self.done or self.error:
            known = {each.value: each.name for each in errors}
            name = known.get(self.error, self.error)
            raise SimulationError(f"the chip stopped with the error {name} ({where})")

    @property
    def cycles(self) -> int:
        """Clock cycles by the chip's counter."""
        return self.registers["cycles"]

    @property
    def answer(self) -> NDArray[np.uint8]:
        """The only answer, empty before it is reported."""
        return next(iter(self.answers.values()), np.zeros(0, np.uint8))

    @property
    def retired_at(self) -> list[int]:
        """Cycles in which steps were over."""
        return [each.cycle for each in self.retired]

    @property
    def events(self) -> dict[str, int]:
        """Events of the whole start."""
        parts = [*(each.events for each in self.retired), self.rest]
        return {name: sum(part.get(name, 0) for part in parts) for name in self.rest}


def positions(prefix: str, layout: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Return sizes for `watch`: `PREFIX_NAME_AT` and `PREFIX_NAME`, the place and width of a field.

    layout: place and width by name; `PREFIX` itself is the width of all
    """
    found = {prefix: max(place + width for place, width in layout.values())}
    for name, (place, width) in layout.items():
        found |= {f"{prefix}_{name.upper()}_AT": place, f"{prefix}_{name.upper()}": width}
    return found


def host_text(chip: HostedChip[Kept], memory_bytes: int) -> str:
    """Return the Verilog of the host of a chip."""
    offset = offsets(chip.registers)
    sizes = {
        "PORT_BITS": 8 * chip.port_bytes,
        "MEMORY_BEATS": memory_bytes // chip.port_bytes,
        "EVENTS": len(chip.events),
        **{f"EVENT_{name.upper()}": number for number, name in enumerate(chip.events)},
        **chip.sizes,
    }
    lines = [f"  localparam integer {name} = {value};\n" for name, value in sizes.items()]
    lines += [
        f"  localparam [11:0] {name.upper()} = 'h{offset[name]:x};\n"
        for name in ("control", "status")
    ]
    parts = {
        "sizes": "".join(lines),
        "watch": chip.watch,
        "chip": f"  {chip.top} chip (\n      {chip.trace},\n",
    }
    text = HOST.read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"  // insert: {name}\n", part)
    return text


def simulator_of(
    chip: HostedChip[Kept], memory_bytes: int, *, waves: Waves | None = None
) -> Simulator:
    """Return the simulator of a chip with its host and memory; `waves` makes it slower."""
    host = host_text(chip, memory_bytes)
    sources = {f"{name}.v": text for name, text in chip.modules.items()}
    sources |= {HOST.name: host, MEMORY.name: MEMORY.read_text(encoding="utf-8")}
    sources |= chip.beside
    if chip.beside:
        sources[UNCHECKED] = f"`verilator_config\n{unchecked(chip.beside)}"
    if waves is None:
        sources |= chip.controls
        return Simulator(
            name=chip.name, sources=sources, top=TOP, args=chip.args, optimize=chip.optimize
        )
    body, end, rest = host.rpartition("endmodule")
    sources[HOST.name] = f"{body}{WAVES}{end}{rest}"
    name = f"{chip.name} with waves"
    return Simulator(name=name, sources=sources, top=TOP, args=waves.arguments)


def unchecked(files: Iterable[str]) -> str:
    """Return lines of a control file: Verilog of others has its own style, and a timescale."""
    names = list(files)
    lines = ['lint_off -rule TIMESCALEMOD -file "*.v"']
    lines += [f'lint_off -file "{folder}{name}"' for name in names for folder in ("", "*/")]
    return "".join(f"{line}\n" for line in lines) if names else ""


def script_text(work: Work, chip: HostedChip[Kept]) -> str:
    """Return the script of the host."""
    offset = offsets(chip.registers)
    reads = [each.offset for each in chip.registers if each.access == "read"]
    lines: list[tuple[int, int, int, int]] = []
    for command in work.commands:
        for name, value in command.registers.items():
            if name in offset:
                lines.append((WRITE, offset[name], value, 0))
                continue
            lines.append((WRITE, offset[f"{name}{LOW}"], value & 0xFFFF_FFFF, 0))
            lines.append((WRITE, offset[f"{name}{HIGH}"], value >> 32, 0))
        lines.append((START, command.number, int(command.loads), 0))
        lines += [(REQUEST, n, offset[name], value) for n, name, value in command.requests]
        lines.append((WAIT, 0, 0, 0))
        lines += [(READ, each, 0, 0) for each in reads]
        for label, address, size in command.answers:
            lines.append((ANSWER, label, address // chip.port_bytes, size // ANSWER_BYTES))
    return "".join(f"{op:x} {a:x} {b:x} {c:x}\n" for op, a, b, c in lines)


def write_work(work: Work, chip: HostedChip[Kept], folder: Path) -> dict[str, object]:
    """Write memory and script into a folder; return what every host is told."""
    memory = beats_text(work.content, chip.port_bytes)
    (folder / MEMORY_FILE).write_text(memory, encoding="ascii")
    (folder / SCRIPT_FILE).write_text(script_text(work, chip), encoding="ascii")
    return {
        "memory": MEMORY_FILE,
        "script": SCRIPT_FILE,
        "events": EVENTS_FILE,
        "stores": STORES_FILE,
        "latency": work.latency if work.trouble.latency is None else work.trouble.latency,
    }


def told(work: Work, chip: HostedChip[Kept], folder: Path) -> list[str]:
    """Write memory and script into a folder; return all that the simulation of it is told.

    It runs in the folder: file names without a path have no spaces and are short.
    """
    plusargs = {
        **write_work(work, chip, folder),
        "stall": work.trouble.stall,
        "stall_seed": work.trouble.seed,
        "reset_at": work.reset_at,
        "limit": work.limits.cycles,
        "most_stores": work.limits.stores,
        **work.plusargs,
    }
    if work.trouble.error_address is not None:
        plusargs["error_address"] = f"{work.trouble.error_address:x}"
    return [f"+{name}={value}" for name, value in plusargs.items()]


def run_chip(
    work: Work,
    chip: HostedChip[Kept],
    folder: Path,
    *,
    waves: Waves | None = None,
    builds: Path | None = None,
    say: Say = silent,
) -> list[ChipRun[Kept]]:
    """Run the script on a chip in a folder; return every start, see `read_runs`.

    waves go to `waves.vcd`; builds, say: see `hwgen.chip.sim.simulator.build_simulator`
    Raises SimulationError when the simulation ends early.
    """
    with Ticker(f"writing the Verilog of {chip.name}", say):
        simulator = simulator_of(chip, work.memory_bytes, waves=waves)
    if waves is None:
        simulator = worth(simulator, work.limits.foreseen, builds=builds)
    # Registers and memories hold at power-on what the seed draws, with the seed 0 zeros.
    arguments = [f"+verilator+rand+reset+{2 if work.seed > 0 else -work.seed}"]
    arguments += [f"+verilator+seed+{max(work.seed, 1)}"]
    arguments += told(work, chip, folder)
    if waves is not None:
        arguments += waves.plusargs(Path(WAVES_FILE))
    run_simulator(simulator, arguments, folder=folder, opens=EVENTS_FILE, builds=builds, say=say)
    return read_runs(folder, chip, work.limits)


def prepare(
    work: Work, chip: HostedChip[Kept], *, builds: Path | None = None, say: Say = silent
) -> None:
    """Build the simulator that `run_hosted` runs for the same arguments, unless it is cached."""
    build_simulator(simulator_of(chip, work.memory_bytes), builds=builds, say=say)


def run_hosted(
    work: Work,
    chip: HostedChip[Kept],
    *,
    waves: Waves | None = None,
    builds: Path | None = None,
    say: Say = silent,
) -> tuple[list[ChipRun[Kept]], Path | None]:
    """Return every start, and the file with the waves if there are any; nothing else is left.

    Raises OutputError when `builds` cannot be written.
    """
    root = build_root(builds)
    saved = root / f"waves-{chip.name}"
    with writable(root):
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix="run-") as scratch:
            folder = Path(scratch)
            runs = run_chip(work, chip, folder, waves=waves, builds=builds, say=say)
            check_touched(folder / EVENTS_FILE, work.trouble)
            if waves is not None:
                saved.mkdir(exist_ok=True)
                (folder / WAVES_FILE).replace(saved / WAVES_FILE)
    return runs, None if waves is None else saved / WAVES_FILE


def check_touched(events: Path, trouble: Trouble) -> None:
    """Refuse an address of an error that no beat has met: the run says nothing of errors.

    Raises DataError with the bytes that were read or written
    """
    touched = [line.split()[1:] for line in event_lines(events) if line.startswith(TOUCHED)]
    if trouble.error_address is None or not touched:
        return
    first, last, met = map(int, touched[0])
    if not met:
        raise DataError(
            f"--bus-error must be a byte that the chip reads or writes, of {first:#x} to {last:#x},"
            f" got {trouble.error_address:#x}"
        )


def read_runs(
    folder: Path, chip: HostedChip[Kept], limits: RunLimits = NO_LIMITS
) -> list[ChipRun[Kept]]:
    """Return every start, those included that a reset cut short; one that never ended is busy.

    Raises SimulationError when a file was cut off.
    """
    runs: list[ChipRun[Kept]] = []
    words: list[dict[int, list[int]]] = []
    stored = chip.read_stores(folder / STORES_FILE)
    names = {each.offset: each.name for each in chip.registers}
    lines = event_lines(folder / EVENTS_FILE)
    for line in lines:
        kind, *fields = line.split()
        if kind == "start":
            stores = stored.of_start(len(runs) + 1)
            loads = fields[1] != "0"
            runs.append(ChipRun(number=int(fields[0]), loads=loads, stores=stores))
            words.append({})
        elif kind == "answer":
            words[-1].setdefault(int(fields[0]), []).append(int(fields[2], 16))
        elif kind == "read":
            keep(runs[-1], names[int(fields[0], 16)], int(fields[1], 16))
        elif runs:
            read_event(runs[-1], kind, [int(each) for each in fields], chip.events)
    if runs and runs[-1].busy:
        runs[-1].gave_up = gave_up(lines, limits)
    for run, found in zip(runs, words, strict=True):
        run.answers = {label: np.array(each, "<u4").view(np.uint8) for label, each in found.items()}
    return runs


def keep(run: ChipRun[Kept], name: str, value: int) -> None:
    """Store the value of a register."""
    if name == "status":
        run.busy, run.done = bool(value >> BUSY_BIT & 1), bool(value >> DONE_BIT & 1)
    elif name.endswith(HIGH):
        run.registers[name.removesuffix(HIGH)] += value << 32
    elif name not in ("id", "version"):
        run.registers[name.removesuffix(LOW)] = value


def read_event(run: ChipRun[Kept], kind: str, fields: Sequence[int], events: Sequence[str]) -> None:
    """Store what a line says about a start."""
    if kind == "image":
        run.begun.append(fields[0])
    elif kind == "retire":
        cycle, tag, *counts = fields
        counted = dict(zip(events, counts, strict=True))
        run.retired.append(Retirement(cycle=cycle, tag=tag, events=counted))
    elif kind == "rest":
        run.rest = dict(zip(events, fields, strict=True))
