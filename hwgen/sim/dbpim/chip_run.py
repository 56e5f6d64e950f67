"""A whole chip without Python: one executable for each architecture runs any program.

`host.v` says how the simulation is told what to do and what it writes down; this module writes the
one and reads the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hwgen.errors import SimulationError
from hwgen.rtl.dbpim.chip import Chip
from hwgen.rtl.dbpim.layouts import bus_write
from hwgen.rtl.emit import verilog_modules
from hwgen.sim.cache import Say, silent
from hwgen.sim.simulator import FAST, MEMORY, QUICK, Simulator, run_simulator
from hwgen.sim.waves import WAVES, Waves
from hwgen.spec.axi import PAGE_BYTES
from hwgen.spec.dbpim.arch import Arch

HOST = Path(__file__).parent / "host.v"
TOP = "host"
EVENTS = "events.txt"
WAVES_FILE = "waves.vcd"
FINISHED = ("finish", "timeout")
"""The last line of a whole event file."""

PROGRAM_ADDRESS = 0x1000
MEMORY_BEATS = 1 << 20
"""Size of the simulated memory, in words of the chip's port."""
LOGIT_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a host has the chip do.

    program: its bytes; images: those of each image; words: logits of an image
    latency, stall, seed, error_address: of the memory, see memory.v
    reset_at: cycle of the first run in which to reset and begin again; 0: never
    limit: cycles after which a run counts as hanging
    """

    program: bytes
    images: Sequence[bytes]
    words: int
    latency: int
    stall: int = 0
    seed: int = 1
    error_address: int | None = None
    reset_at: int = 0
    limit: int = 10_000_000


@dataclass(frozen=True)
class Write:
    """A word that the write bus stored; `address` is a logit's if `raw`, else a bank's."""

    cycle: int
    raw: bool
    bank: int
    address: int
    enable: int
    data: int


@dataclass
class Run:
    """One image: events of the trace, then registers and logits read back after it."""

    image: int
    writes: list[Write] = field(default_factory=list)
    retired: list[int] = field(default_factory=list)
    busy: bool = True
    done: bool = False
    error: int = 0
    cycles: int = 0
    load_cycles: int = 0
    layers: int = 0
    logits: list[int] = field(default_factory=list)


@cache
def chip_simulator(arch: Arch, *, waves: bool = False) -> Simulator:
    """Return the simulator of a chip with its host and memory; `waves` makes it slower."""
    sources = {f"{name}.v": text for name, text in verilog_modules(Chip(arch=arch)).items()}
    for file in (HOST, MEMORY):
        sources[file.name] = file.read_text(encoding="utf-8")
    name, args = arch.name, host_parameters(arch)
    if waves:
        name, args = f"{name} with waves", [*args, "--trace"]
        body, end, rest = sources[HOST.name].rpartition("endmodule")
        sources[HOST.name] = f"{body}{WAVES}{end}{rest}"
    return Simulator(
        name=name, sources=sources, top=TOP, args=args, optimize=QUICK if waves else FAST
    )


def host_parameters(arch: Arch) -> list[str]:
    """Return Verilator's arguments for the parameters of host.v."""
    layout = bus_write(arch)
    sizes = {"PORT_BITS": arch.port_bits, "MEMORY_BEATS": MEMORY_BEATS}
    for name in ("data", "enable", "bank", "address"):
        sizes[f"{name.upper()}_BITS"] = layout[name].width
    return [f"-G{name}={value}" for name, value in sizes.items()]


def run_chip(
    job: Job,
    arch: Arch,
    folder: Path,
    *,
    waves: Waves | None = None,
    builds: Path | None = None,
    say: Say = silent,
) -> list[Run]:
    """Return the run of each image, those included that a reset cut short.

    folder: where the simulation reads and writes its files; waves go to `waves.vcd` there
    builds, say: see `hwgen.sim.simulator.build_simulator`
    Raises SimulationError when the memory is too small or the simulation ends early.
    """
    content, addresses = place(job)
    check_memory(job, addresses, arch)
    memory, events = folder / "memory.hex", folder / EVENTS
    memory.write_text(beats_text(content, arch.port_bytes), encoding="ascii")
    # The simulation runs in `folder`: file names without a path have no spaces and are short.
    plusargs = {
        "memory": memory.name,
        "events": events.name,
        "images": len(job.images),
        "words": job.words,
        "latency": job.latency,
        "stall": job.stall,
        "seed": job.seed,
        "reset_at": job.reset_at,
        "limit": job.limit,
        **{name: f"{address:x}" for name, address in addresses.items()},
    }
    if job.error_address is not None:
        plusargs["error_address"] = f"{job.error_address:x}"
    arguments = ["+verilator+rand+reset+2", f"+verilator+seed+{job.seed}"]
    arguments += [f"+{name}={value}" for name, value in plusargs.items()]
    if waves is not None:
        arguments += waves.plusargs(Path(WAVES_FILE))
    simulator = chip_simulator(arch, waves=waves is not None)
    run_simulator(simulator, arguments, folder=folder, opens=EVENTS, builds=builds, say=say)
    return read_events(events)


def place(job: Job) -> tuple[dict[int, bytes], dict[str, int]]:
    """Return the memory content by address, and the addresses for the host."""
    image_stride = pages(max(map(len, job.images)))
    logits_stride = pages(job.words * LOGIT_BYTES)
    image = PROGRAM_ADDRESS + pages(len(job.program))
    addresses = {
        "program": PROGRAM_ADDRESS,
        "image": image,
        "image_stride": image_stride,
        "logits": image + len(job.images) * image_stride,
        "logits_stride": logits_stride,
    }
    content = {PROGRAM_ADDRESS: job.program}
    content |= {image + n * image_stride: data for n, data in enumerate(job.images)}
    return content, addresses


def check_memory(job: Job, addresses: dict[str, int], arch: Arch) -> None:
    """Raise SimulationError if not everything fits into the simulated memory."""
    needed = addresses["logits"] + len(job.images) * addresses["logits_stride"]
    size = MEMORY_BEATS * arch.port_bytes
    if needed > size:
        raise SimulationError(
            f"program, images and logits must fit into a simulated memory of {size:,} bytes, got"
            f" {needed:,} bytes for {len(job.images)} images"
        )


def pages(size: int) -> int:
    """Return `size` rounded up to whole pages."""
    return -(-size // PAGE_BYTES) * PAGE_BYTES


def beats_text(content: dict[int, bytes], port_bytes: int) -> str:
    """Return a file for `$readmemh`, one beat a line, its lowest byte last."""
    lines = []
    for address, data in content.items():
        lines.append(f"@{address // port_bytes:x}")
        whole = data + bytes(-len(data) % port_bytes)
        lines += [
            whole[start : start + port_bytes][::-1].hex()
            for start in range(0, len(whole), port_bytes)
        ]
    return "\n".join(lines) + "\n"


def read_events(path: Path) -> list[Run]:
    """Return the runs of an event file; one that never ended is still busy.

    Raises SimulationError when the file was cut off.
    """
    runs: list[Run] = []
    lines = path.read_text(encoding="ascii").splitlines()
    if not lines or lines[-1] not in FINISHED:
        raise SimulationError(
            f"the events of a simulation must end with {' or '.join(FINISHED)}, got"
            f" {lines[-1] if lines else 'nothing'!r}: is the disk full? ({path})"
        )
    for line in lines:
        kind, *fields = line.split()
        if kind == "start":
            runs.append(Run(int(fields[0])))
        elif kind == "write":
            cycle, raw, bank, address = map(int, fields[:4])
            enable, data = (int(text, 16) for text in fields[4:])
            runs[-1].writes.append(Write(cycle, bool(raw), bank, address, enable, data))
        elif kind == "retire":
            runs[-1].retired.append(int(fields[0]))
        elif kind == "logit":
            runs[-1].logits.append(int(fields[2]))
        elif kind == "end":
            end(runs[-1], list(map(int, fields)))
    return runs


def end(run: Run, fields: Sequence[int]) -> None:
    """Store the registers that the host read after a run."""
    _, status, run.error, run.cycles, run.load_cycles, run.layers = fields
    run.busy, run.done = bool(status & 1), bool(status >> 1 & 1)
