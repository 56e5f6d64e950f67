"""A whole crossbar chip without Python: what its host is told of a job, and what it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.registers import Command as Ask
from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.layouts import places
from hwgen.chip.rtl.replace import with_replacements
from hwgen.chip.sim import host, job
from hwgen.chip.sim.host import Command, HostedChip, positions
from hwgen.chip.sim.host_files import (
    Ints,
    Writes,
    bits,
    number,
    pages,
    read_nibbles,
)
from hwgen.chip.sim.job import Memory
from hwgen.crossbar.facts import chip as facts
from hwgen.crossbar.facts.events import EVENTS
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
class Job(job.Job):
    """Load the program, then run the images, each with its answer.

    Images and answers of a run begin at a page of the memory.

    run_images: images of a run, a stream; the last run has what is left
    interval: steps from one image of a run to the next
    image_stride, answer_stride: bytes from one to the next
    """

    run_images: int
    interval: int
    image_stride: int
    answer_stride: int
    latency: int = MEMORY_LATENCY_CYCLES

    @property
    def runs(self) -> int:
        return -(-len(self.images) // self.run_images)

    def images_of(self, run: int) -> Sequence[bytes]:
        """Return the images of a run."""
        return self.images[run * self.run_images :][: self.run_images]

    def place(self, memory: Memory) -> dict[str, int]:
        image_pages = pages(self.run_images * self.image_stride)
        answer_pages = pages(self.run_images * self.answer_stride)
        program = memory.hold(self.program)
        image, answer = memory.area(self.runs * image_pages), memory.area(self.runs * answer_pages)
        for run in range(self.runs):
            images = self.images_of(run)
            memory.fill(image + run * image_pages, self.image_stride, images)
            memory.await_answers(answer + run * answer_pages, len(images) * self.answer_stride)
        return {
            "program": program,
            "image": image,
            "image_pages": image_pages,
            "answer": answer,
            "answer_pages": answer_pages,
        }

    def commands(self, at: Mapping[str, int]) -> list[Command]:
        load = {"command": Ask.LOAD, "program_address": at["program"]}
        return [
            Command(number=0, loads=True, registers=load),
            *(self._run(at, run) for run in range(self.runs)),
        ]

    def _run(self, at: Mapping[str, int], run: int) -> Command:
        """Return one run."""
        count, size = len(self.images_of(run)), self.answer_stride
        answer = at["answer"] + run * at["answer_pages"]
        first = run * self.run_images
        return Command(
            number=run,
            registers={
                "command": Ask.RUN,
                "images": count,
                "interval": self.interval,
                "image_address": at["image"] + run * at["image_pages"],
                "answer_address": answer,
            },
            answers=[(first + n, answer + n * size, size) for n in range(count)],
        )


def digits_of(chip: facts.Chip) -> tuple[int, int]:
    """Return the digits of enables and of data in a line of stores."""
    starts = sum(len(layer.operations) for layer in chip.layers)
    return -(-chip.word_elements // 4), -(-max(chip.word_bits, starts) // 4)


@lru_cache(2)
def hosted(chip: facts.Chip, replacements: Replacements = NO_REPLACEMENTS) -> HostedChip[Stores]:
    """Return the chip with what its host is told."""
    enable_digits, data_digits = digits_of(chip)
    return HostedChip(
        name=chip.name,
        top="crossbar_chip",
        write=lambda: verilog(chip, replacements),
        beside=replacements.sources,
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
        read_stores=lambda path: read_stores(path, chip),
        controls={BLOCKS.name: BLOCKS.read_text(encoding="utf-8")},
    )


def verilog(chip: facts.Chip, replacements: Replacements) -> dict[str, str]:
    """Return the modules of a chip, by name."""
    macros = [Macro(chip=chip, macro=one.macro) for one in chip.macros]
    return verilog_modules(with_replacements(Chip(chip=chip, macros=macros), replacements))


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
