"""A whole crossbar chip without Python: what its host is told of a job, and what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.limits import RunLimits
from hwgen.chip.registers import Command as Ask
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.layouts import places
from hwgen.chip.sim import host
from hwgen.chip.sim.host import NO_LIMITS, Command, HostedChip, Work, positions
from hwgen.chip.sim.host_files import (
    PROGRAM_ADDRESS,
    UNWRITTEN,
    Ints,
    Writes,
    bits,
    number,
    pages,
    read_nibbles,
    smallest_memory,
)
from hwgen.chip.sim.simulator import QUICK
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.crossbar.facts import chip as facts
from hwgen.crossbar.facts.events import EVENTS
from hwgen.crossbar.facts.image_io import answer_stride, image_stride
from hwgen.crossbar.facts.registers import REGISTERS
from hwgen.crossbar.facts.timing import MEMORY_LATENCY_CYCLES
from hwgen.crossbar.rtl import layouts
from hwgen.crossbar.rtl.chip import Chip
from hwgen.crossbar.rtl.macro import Macro

WATCH, BLOCKS = (Path(__file__).parent / name for name in ("watch.v", "blocks.vlt"))
STEP, STROBES = 0xFFFF, 0xFFFE
"""What stands for a macro in the line of a step, and of the strobes of a clock."""


@dataclass(frozen=True, kw_only=True)
class Stores(Writes):
    """Words of results, steps, and strobes.

    macro: STEP where a step begins, STROBES where there are any; layer: whose results
    enables: (lines, elements); words: (lines, digits), the highest digit first
    """

    macro: Ints
    layer: Ints
    enables: NDArray[np.bool_]
    words: NDArray[np.uint8]


ChipRun = host.ChipRun[Stores]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a host has a chip do: load the program, then run the images, so many at a time.

    program: its bytes; images: the bytes of each
    run_images: images of a run, a stream; the last run has what is left
    interval: steps from one image of a run to the next
    others: as of `hwgen.chip.sim.host.Work`
    """

    program: bytes
    images: Sequence[bytes]
    run_images: int
    interval: int
    latency: int = MEMORY_LATENCY_CYCLES
    trouble: Trouble = NO_TROUBLE
    seed: int = 1
    limits: RunLimits = NO_LIMITS


def digits_of(chip: facts.Chip) -> tuple[int, int]:
    """Return the digits of enables and of data in a line of stores."""
    starts = sum(len(layer.operations) for layer in chip.layers)
    return -(-chip.word_elements // 4), -(-max(chip.word_bits, starts) // 4)


def hosted(chip: facts.Chip) -> HostedChip:
    """Return the chip with what its host is told."""
    macros = [Macro(chip=chip, macro=one.macro) for one in chip.macros]
    top = Chip(chip=chip, macros=macros)
    enable_digits, data_digits = digits_of(chip)
    return HostedChip(
        name=chip.name,
        top=top.module_name,
        modules=verilog_modules(top),
        watch=WATCH.read_text(encoding="utf-8"),
        trace=".trace(trace)",
        sizes={
            "MACROS": len(chip.macros),
            "ENABLE_DIGITS": enable_digits,
            "DATA_DIGITS": data_digits,
            **positions("TRACE", places(layouts.chip_trace(chip))),
            **positions("STORE", places(layouts.macro_store(chip))),
            **positions("MACRO_EVENTS", places(layouts.macro_events())),
        },
        registers=REGISTERS,
        events=tuple(EVENTS),
        port_bytes=chip.flit_bits // 8,
        controls={BLOCKS.name: BLOCKS.read_text(encoding="utf-8")},
        # A chip is made for one network and runs few cycles.
        optimize=QUICK,
    )


def run_chip(job: Job, chip: facts.Chip, folder: Path) -> list[ChipRun]:
    """Return the load and the runs; see `hwgen.chip.sim.host`."""
    host.run_host(work_of(job, chip), lambda: hosted(chip), folder, name=chip.name)
    return read_folder(folder, chip, job.limits)


def read_folder(folder: Path, chip: facts.Chip, limits: RunLimits = NO_LIMITS) -> list[ChipRun]:
    """Return the starts that a host left in a folder."""
    return host.read_runs(
        folder,
        lambda path: read_stores(path, chip),
        registers=REGISTERS,
        events=tuple(EVENTS),
        limits=limits,
    )


def read_stores(path: Path, chip: facts.Chip) -> Stores:
    """Return the lines of a file of stores."""
    enable_digits, data_digits = digits_of(chip)
    start, cycle, macro, layer, enables, words = read_nibbles(
        path, [4, 10, 4, 2, enable_digits, data_digits]
    )
    return Stores(
        start=number(start),
        cycle=number(cycle),
        macro=number(macro),
        layer=number(layer),
        enables=bits(enables, chip.word_elements),
        words=words,
    )


def work_of(job: Job, chip: facts.Chip) -> Work:
    """Return what the host is told of a job: it loads, then runs images, each with its answer.

    Images and answers of a run begin at a page of the memory.
    """
    sizes = image_stride(chip), answer_stride(chip)
    image_pages, answer_pages = (pages(job.run_images * size) for size in sizes)
    starts = range(0, len(job.images), job.run_images)
    first_image = PROGRAM_ADDRESS + pages(len(job.program))
    first_answer = first_image + len(starts) * image_pages
    content = {PROGRAM_ADDRESS: job.program}
    load = {"command": Ask.LOAD, "program_address": PROGRAM_ADDRESS}
    commands = [Command(number=0, loads=True, registers=load)]
    for run, start in enumerate(starts):
        image, answer = first_image + run * image_pages, first_answer + run * answer_pages
        images = job.images[start : start + job.run_images]
        content |= {image + n * sizes[0]: data for n, data in enumerate(images)}
        content[answer] = bytes([UNWRITTEN]) * (len(images) * sizes[1])
        told = {"command": Ask.RUN, "images": len(images), "interval": job.interval}
        told |= {"image_address": image, "answer_address": answer}
        answers = [(start + n, answer + n * sizes[1], sizes[1]) for n in range(len(images))]
        commands.append(Command(number=run, registers=told, answers=answers))
    end = first_answer + len(starts) * answer_pages
    return Work(
        content=content,
        memory_bytes=smallest_memory(end, what="program, images and answers", runs=len(starts)),
        commands=commands,
        latency=job.latency,
        trouble=job.trouble,
        seed=job.seed,
        limits=job.limits,
    )
