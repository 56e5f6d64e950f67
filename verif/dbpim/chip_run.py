"""A whole chip without Python: one executable for each architecture runs any program.

`host.v` says how the simulation is told what to do and what it writes down; this module writes the
one and reads the other.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hwgen.errors import SimulationError
from hwgen.rtl.dbpim.chip import Chip
from hwgen.rtl.dbpim.layouts import bus_write
from hwgen.rtl.emit import verilog_modules
from hwgen.spec.axi import PAGE_BYTES
from hwgen.spec.dbpim.arch import Arch
from verif.binary import FAST, QUICK, build_binary
from verif.runner import Waves
from verif.wrapper import WAVES

HERE = Path(__file__).parent
TOP = "host"
PROGRAM_ADDRESS = 0x1000
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
    """One image: what the trace showed, and what registers and memory said after it."""

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
def chip_binary(arch: Arch, args: tuple[str, ...] = (), *, waves: bool = False) -> Path:
    """Return the executable of a chip with its host and memory; one for waves is slower."""
    sources = {f"{name}.v": text for name, text in verilog_modules(Chip(arch=arch)).items()}
    for name in ("host.v", "memory.v"):
        sources[name] = (HERE / name).read_text(encoding="utf-8")
    if waves:
        body, end, rest = sources["host.v"].rpartition("endmodule")
        sources["host.v"] = f"{body}{WAVES}{end}{rest}"
        args = (*args, "--trace")
    optimize = QUICK if waves else FAST
    return build_binary(sources, top=TOP, args=[*host_parameters(arch), *args], optimize=optimize)


def host_parameters(arch: Arch) -> list[str]:
    """Return Verilator's arguments for the parameters of host.v."""
    layout = bus_write(arch)
    sizes = {"PORT_BITS": arch.port_bits}
    for name in ("data", "enable", "bank", "address"):
        sizes[f"{name.upper()}_BITS"] = layout[name].width
    return [f"-G{name}={value}" for name, value in sizes.items()]


def run_chip(
    executable: Path, job: Job, arch: Arch, folder: Path, *, waves: Waves | None = None
) -> list[Run]:
    """Return what happened with each image; a run that a reset cut short stands there too."""
    beats, addresses = place(job)
    memory, events = folder / "memory.hex", folder / "events.txt"
    memory.write_text(beats_text(beats, arch.port_bytes), encoding="ascii")
    plusargs = {
        "memory": memory,
        "events": events,
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
    command = [str(executable), "+verilator+rand+reset+2", f"+verilator+seed+{job.seed}"]
    command += [f"+{name}={value}" for name, value in plusargs.items()]
    if waves is not None:
        command += waves.plusargs(folder / "waves.vcd")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SimulationError(f"the chip's simulation failed:\n{done.stdout}{done.stderr}")
    return read_events(events)


def place(job: Job) -> tuple[dict[int, bytes], dict[str, int]]:
    """Return what lies where in memory, and the addresses that the host is told."""
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
    """Return the runs of an event file; one that never ended is still busy."""
    runs: list[Run] = []
    for line in path.read_text(encoding="ascii").splitlines():
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
    """Note what the registers said after a run."""
    _, status, run.error, run.cycles, run.load_cycles, run.layers = fields
    run.busy, run.done = bool(status & 1), bool(status >> 1 & 1)
