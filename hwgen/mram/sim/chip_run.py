"""A whole MRAM chip without Python: what its host is told of a job, and what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwgen.chip.limits import RunLimits
from hwgen.chip.registers import Command as Ask
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.layouts import places
from hwgen.chip.sim import host
from hwgen.chip.sim.cache import Say, silent
from hwgen.chip.sim.host import NO_LIMITS, Command, HostedChip, Retirement, Work, positions
from hwgen.chip.sim.host_files import PROGRAM_ADDRESS, UNWRITTEN, pages, smallest_memory
from hwgen.chip.sim.simulator import Simulator
from hwgen.chip.sim.waves import Waves
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.facts.registers import REGISTERS
from hwgen.mram.rtl.chip import Chip
from hwgen.mram.rtl.layouts import answer_write, bank_write, chip_trace, octet_trace
from hwgen.mram.sim.stores import Stores, field_digits, read_stores

WATCH = Path(__file__).parent / "watch.v"
RECORD_BITS = 16
"""Bits of the record in the tag of a retirement; the mode is above them."""

ChipRun = host.ChipRun[Stores]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a host has the chip do: load the program, and the tables if there are any, then run.

    program: its bytes; tables: those of a program without weight rows; empty: none
    images: the bytes of each image; modes: its mode
    run_images: images of a run; the last run has what is left
    image_stride, answer_stride: of the program; answer_bytes: of one image
    others: as of `hwgen.chip.sim.host.Work`
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
    trouble: Trouble = NO_TROUBLE
    seed: int = 1
    reset_at: int = 0
    limits: RunLimits = NO_LIMITS

    @property
    def runs(self) -> int:
        """Starts of the chip, without those that load."""
        return -(-len(self.images) // self.run_images)


def mode_and_record(retired: Retirement) -> tuple[int, int]:
    """Return the mode of an image and its record that is over."""
    return divmod(retired.tag, 1 << RECORD_BITS)


@cache
def hosted(arch: Arch) -> HostedChip:
    """Return the chip with what its host is told."""
    mask_digits, data_digits = field_digits(arch)
    return HostedChip(
        name=arch.name,
        top="mram_chip",
        modules=verilog_modules(Chip(arch=arch)),
        watch=WATCH.read_text(encoding="utf-8"),
        trace=".trace(trace)",
        sizes={
            "OCTETS": arch.octets,
            "MASK_DIGITS": mask_digits,
            "DATA_DIGITS": data_digits,
            **positions("TRACE", places(chip_trace(arch))),
            **positions("OCTET", places(octet_trace(arch))),
            **positions("BANK", places(bank_write(arch))),
            **positions("ANSWER", places(answer_write(arch))),
        },
        registers=REGISTERS,
        events=tuple(EVENTS),
        port_bytes=arch.port_bytes,
    )


def run_chip(
    job: Job,
    arch: Arch,
    folder: Path,
    *,
    waves: Waves | None = None,
    builds: Path | None = None,
    say: Say = silent,
) -> list[ChipRun]:
    """Return every start, those included that a reset cut short; see `hwgen.chip.sim.host`."""
    work, name = work_of(job), arch.name
    host.run_host(
        work, lambda: hosted(arch), folder, name=name, waves=waves, builds=builds, say=say
    )
    return read_folder(folder, arch, job.limits)


def read_folder(folder: Path, arch: Arch, limits: RunLimits = NO_LIMITS) -> list[ChipRun]:
    """Return the starts that a host left in a folder."""
    return host.read_runs(
        folder,
        lambda path: read_stores(path, arch),
        registers=REGISTERS,
        events=tuple(EVENTS),
        limits=limits,
    )


def simulator_of(job: Job, arch: Arch) -> Simulator:
    """Return the simulator that runs a job; its memory is the smallest one that is enough."""
    return host.simulator_of(hosted(arch), work_of(job).memory_bytes)


def work_of(job: Job) -> Work:
    """Return what the host is told of a job: it loads, then runs images, each with its answer."""
    content, addresses = place(job)
    loads = [address for address in (addresses["program"], addresses["tables"]) if address]
    return Work(
        content=content,
        memory_bytes=memory_bytes(job, addresses),
        commands=[
            *(
                Command(
                    number=0, loads=True, registers={"command": Ask.LOAD, "program_address": each}
                )
                for each in loads
            ),
            *(run_of(job, addresses, run) for run in range(job.runs)),
        ],
        latency=job.latency,
        trouble=job.trouble,
        seed=job.seed,
        reset_at=job.reset_at,
        limits=job.limits,
    )


def run_of(job: Job, addresses: dict[str, int], run: int) -> Command:
    """Return one run; the mode of an image is requested when the one before it has begun."""
    first = run * job.run_images
    images = range(first, min(first + job.run_images, len(job.images)))
    image, answer = addresses["image"], addresses["answer"]
    return Command(
        number=run,
        registers={
            "command": Ask.RUN,
            "mode": job.modes[first],
            "images": len(images),
            "image_address": image + first * job.image_stride,
            "answer_address": answer + first * job.answer_stride,
        },
        requests=[(each - first, "mode", job.modes[each]) for each in images[1:]],
        answers=[(each, answer + each * job.answer_stride, job.answer_bytes) for each in images],
    )


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
