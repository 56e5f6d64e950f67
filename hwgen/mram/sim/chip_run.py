"""A whole MRAM chip without Python: what its host is told of a job, and what it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwgen.chip.registers import Command as Ask
from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.layouts import places
from hwgen.chip.rtl.replace import with_replacements
from hwgen.chip.sim import host, job
from hwgen.chip.sim.host import Command, HostedChip, Retirement, positions
from hwgen.chip.sim.job import Memory
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
class Job(job.Job):
    """Load the program, and the tables if there are any, then run images, each with its answer.

    tables: those of a program without weight rows; empty: none
    modes: the mode of each image; run_images: images of a run; the last run has what is left
    image_stride, answer_stride: of the program; answer_bytes: of one image
    """

    tables: bytes = b""
    modes: Sequence[int]
    run_images: int
    image_stride: int
    answer_stride: int
    answer_bytes: int

    @property
    def runs(self) -> int:
        return -(-len(self.images) // self.run_images)

    def place(self, memory: Memory) -> dict[str, int]:
        count = len(self.images)
        program = memory.hold(self.program)
        tables = memory.hold(self.tables) if self.tables else 0
        image = memory.area(count * self.image_stride)
        memory.fill(image, self.image_stride, self.images)
        answer = memory.area(count * self.answer_stride)
        memory.await_answers(answer, count * self.answer_stride)
        return {"program": program, "tables": tables, "image": image, "answer": answer}

    def commands(self, at: Mapping[str, int]) -> list[Command]:
        loads = [
            Command(number=0, loads=True, registers={"command": Ask.LOAD, "program_address": each})
            for each in (at["program"], at["tables"])
            if each
        ]
        return [*loads, *(self._run(at, run) for run in range(self.runs))]

    def _run(self, at: Mapping[str, int], run: int) -> Command:
        """Return one run; the mode of an image is requested when the one before it has begun."""
        first = run * self.run_images
        images = range(first, min(first + self.run_images, len(self.images)))
        answers = [at["answer"] + each * self.answer_stride for each in images]
        return Command(
            number=run,
            registers={
                "command": Ask.RUN,
                "mode": self.modes[first],
                "images": len(images),
                "image_address": at["image"] + first * self.image_stride,
                "answer_address": answers[0],
            },
            requests=[(each - first, "mode", self.modes[each]) for each in images[1:]],
            answers=[
                (each, answer, self.answer_bytes)
                for each, answer in zip(images, answers, strict=True)
            ],
        )


def mode_and_record(retired: Retirement) -> tuple[int, int]:
    """Return the mode of an image and its record that is over."""
    return divmod(retired.tag, 1 << RECORD_BITS)


@cache
def hosted(arch: Arch, replacements: Replacements = NO_REPLACEMENTS) -> HostedChip[Stores]:
    """Return the chip with what its host is told."""
    mask_digits, data_digits = field_digits(arch)
    return HostedChip(
        name=arch.name,
        top="mram_chip",
        write=lambda: verilog_modules(with_replacements(Chip(arch=arch), replacements)),
        beside=replacements.sources,
        watch=WATCH.read_text(encoding="utf-8"),
        trace=".trace(trace)",
        sizes={
            "OCTETS": arch.octets,
            "IN_ARRAY": int(arch.in_array),
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
        read_stores=lambda path: read_stores(path, arch),
    )
