"""A whole DB-PIM chip without Python: what its host is told of a job, and what it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.layouts import places
from hwgen.chip.rtl.replace import with_replacements
from hwgen.chip.sim import host, job
from hwgen.chip.sim.host import Command, HostedChip, positions
from hwgen.chip.sim.host_files import pages
from hwgen.chip.sim.job import Memory
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.events import events_of
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


@dataclass(frozen=True)
class Call:
    """A run of a network with states: which stream it goes on with, and its position in it.

    program: 0: that of the job, n: number n of its others
    """

    stream: int = 0
    position: int = 0
    program: int = 0


@dataclass(frozen=True, kw_only=True)
class Job(job.Job):
    """A start for each run, each with its answers.

    images: those of all images of a run, for each run
    answer_bytes: of a run; scratch_bytes: of the space of a stream
    states: what that space holds at first; calls: of each run, empty: all of one stream
    pixel_bytes: that a position takes in a state
    others: further programs, with the same states in the same places
    """

    answer_bytes: int
    scratch_bytes: int = 0
    states: bytes = b""
    calls: Sequence[Call] = ()
    pixel_bytes: int = 0
    others: Sequence[bytes] = ()

    @property
    def runs(self) -> int:
        return len(self.images)

    def place(self, memory: Memory) -> dict[str, int]:
        program = memory.hold(self.program)
        others = {
            f"program {number}": memory.hold(each) for number, each in enumerate(self.others, 1)
        }
        image_stride, answers_stride = pages(max(map(len, self.images))), pages(self.answer_bytes)
        image = memory.area(self.runs * image_stride)
        memory.fill(image, image_stride, self.images)
        answers = memory.area(self.runs * answers_stride)
        memory.await_answers(answers, self.runs * answers_stride)
        streams = 1 + max((call.stream for call in self.calls), default=0)
        scratch_stride = pages(self.scratch_bytes)
        scratch = memory.area(streams * scratch_stride)
        if self.states:
            memory.fill(scratch, scratch_stride, [self.states] * streams)
        return {
            "program": program,
            **others,
            "image": image,
            "image_stride": image_stride,
            "answers": answers,
            "answers_stride": answers_stride,
            "scratch": scratch,
            "scratch_stride": scratch_stride,
        }

    def commands(self, at: Mapping[str, int]) -> list[Command]:
        return [
            Command(
                number=run,
                registers={
                    "program_address": at[f"program {call.program}" if call.program else "program"],
                    "image_address": at["image"] + run * at["image_stride"],
                    "logits_address": at["answers"] + run * at["answers_stride"],
                    "scratch_address": at["scratch"] + call.stream * at["scratch_stride"],
                    **self.position_of(call),
                },
                answers=[(run, at["answers"] + run * at["answers_stride"], self.answer_bytes)],
            )
            for run, call in enumerate(self.calls or [Call()] * self.runs)
        ]

    def position_of(self, call: Call) -> dict[str, int]:
        """Return the registers of a position, of a network with states."""
        if not self.calls:
            return {}
        return {"position": call.position, "position_bytes": call.position * self.pixel_bytes}


@cache
def hosted(arch: Arch, replacements: Replacements = NO_REPLACEMENTS) -> HostedChip[Stores]:
    """Return the chip with what its host is told; of a large one a core is compiled once.

    Simulators of large chips are built in a tenth of the time so, those of small ones run slower.
    """
    large = arch.cores * arch.macros_per_core >= MANY_MACROS
    return HostedChip(
        name=arch.name,
        top="dbpim_chip",
        write=lambda: verilog_modules(with_replacements(Chip(arch=arch), replacements)),
        beside=replacements.sources,
        watch=watch(arch),
        trace=TRACE,
        sizes={
            "CORES": arch.cores,
            "MACROS": arch.macros_per_core,
            "LANES": arch.bus_words,
            "BYTES": arch.word,
            "FILTERS": arch.filters,
            "PULSES": core_pulses(arch).size,
            **positions("WRITE", places(bus_write(arch))),
            **positions("VECTOR", places(vector_write(arch))),
            **positions("PLACE", places(position())),
        },
        registers=REGISTERS,
        events=tuple(events_of(arch)),
        port_bytes=arch.port_bytes,
        read_stores=lambda path: read_stores(path, arch.word),
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
