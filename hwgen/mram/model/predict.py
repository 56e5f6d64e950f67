"""Predict cycles and events: of a run, of LOAD, or of one record for the compiler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from hwgen.chip.compiled import is_compiled
from hwgen.chip.memory import Port, store_cycles
from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.chip.runs import summed
from hwgen.chip.step import in_a_row
from hwgen.mram.facts import timing
from hwgen.mram.facts.accumulation import and_steps
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.facts.program import Program, StepPlan
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import decode_program, program_beats, section_beats
from hwgen.mram.model.conv import CAUSES, Conv, conv_cycles, conv_of
from hwgen.mram.model.events import kernel_taps, positions_of, record_events
from hwgen.mram.model.port import image_cycles, program_cycles
from hwgen.mram.model.prediction import Prediction, StepCycles, counters_of

MOVING = ("image", "answer")
"""Kinds of steps whose cycles count as those of loads."""
START_CYCLES = timing.CHECK_CYCLE + timing.IMAGE_CYCLES
"""Cycle of a run in which the first image takes its mode."""

Fields = Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Work:
    """Cycles of a record: from the first in which its unit works to its retirement, both counted.

    causes: what the unit did in some of them
    """

    cycles: int
    causes: Mapping[str, int]


class CycleModel:
    """The cycle model of one program on one architecture; `predict` takes one run at a time.

    write_back: each AND is written back to a row and read again, as in the seed's first scheme, on
        a chip without this option, too
    in_array: and counts are added in rows of the sub-arrays, on a chip without this option, too
    resident: the program whose weights a program of tables alone runs on; None: its own weights
    """

    def __init__(
        self,
        program: Program,
        arch: Arch,
        *,
        write_back: bool = False,
        in_array: bool = False,
        resident: Program | None = None,
    ) -> None:
        self._arch, self._facts = arch, program.facts
        self._weight_row_writes = (resident or program).facts.weight_rows * arch.sub_arrays
        self._content = decode_program(program.image, arch, source=program.facts.network_name)
        self._port = Port(arch.port_bytes, arch.memory_latency_cycles, timing.READ_FIFO_BEATS)
        self._in_array = in_array or arch.in_array
        self._write_back = write_back or arch.write_back or self._in_array
        self._convs: dict[Conv, Work] = {}

    def predict(
        self, maps: Mapping[str, NDArray[Any]] | None = None, modes: Sequence[int] | None = None
    ) -> Prediction:
        """Return the cycles of a run; they depend on records alone.

        maps: not used; modes: of each image of the run; None: all images in the widest
        """
        chosen = [0] * self._facts.images if modes is None else list(modes)
        found: list[StepCycles] = []
        begins, load = [], 1
        for image, mode in enumerate(chosen):
            begins.append(sum(step.cycles for step in found))
            begin = timing.IMAGE_CYCLES if image else START_CYCLES
            plans = self._facts.modes[mode].steps
            for number, plan in enumerate(plans):
                work = self._work(plan, image)
                before = timing.DISPATCH_CYCLES + (0 if number else begin)
                load += work.cycles if plan.kind in MOVING else 0
                name = plan.name if len(chosen) == 1 else f"{image}.{plan.name}"
                found.append(self._step(plan, name, work, before))
        found.append(end_step(timing.END_CYCLES if chosen else START_CYCLES))
        cycles = sum(step.cycles for step in found)
        events = summed(step.events for step in found)
        return Prediction(
            cycles=cycles,
            load=load,
            loading=self.predict_load(),
            steps=in_a_row(found),
            counters=counters_of(
                found, events, modes=chosen, weight_row_writes=self._weight_row_writes
            ),
            events=events,
            own_events=[step.events for step in found],
            image_cycles=tuple(end - begin for begin, end in pairwise((*begins, cycles))),
            found=tuple(found),
        )

    def predict_load(self) -> int:
        """Return the cycles of LOAD, from accepted start to done."""
        content, size = self._content, section_beats(self._arch)
        beats = program_beats(
            self._arch,
            records=len(content.records),
            parameters=len(content.parameters),
            weight_rows=len(content.weights),
        )
        return program_cycles(self._port, size.header, beats) + timing.LOADED_CYCLES

    def _work(self, plan: StepPlan, image: int) -> Work:
        """Return the cycles of a step's record."""
        fields, content = self._content.records[plan.record], self._content
        match fields["kind"]:
            case Kind.IMAGE:
                address = image * content.image_stride
                cycles = image_cycles(self._port, address, fields["loads"])
            case Kind.ANSWER:
                address = image * content.answer_stride + fields["outside"] * ALIGNMENT_BYTES
                size = fields["loads"] * self._arch.answer_bits // 8
                cycles = 1 + store_cycles(address, size, self._port)
            case Kind.CONV:
                return self._conv(fields)
            case Kind.POOL:
                taps = fields["kernel_height"] * fields["kernel_width"] * fields["blocks"]
                cycles = positions_of(fields) * taps + timing.POOL_TAIL_CYCLES
            case _:
                cycles = 2 + timing.ADD_CYCLES_PER_BIT * fields["input_planes"]
        return Work(cycles=cycles, causes={})

    def _conv(self, fields: Fields) -> Work:
        """Return the cycles of a CONV; equal ones are computed once."""
        back, in_array = self._write_back, self._in_array
        steps = and_steps(fields, self._arch, write_back=back, in_array=in_array)
        conv = conv_of(fields, self._arch, steps=steps)
        if conv not in self._convs:
            self._convs[conv] = conv_work(conv)
        return self._convs[conv]

    def _step(self, plan: StepPlan, name: str, work: Work, before: int) -> StepCycles:
        """Return a step; before: cycles between the former retirement and its first one."""
        fields = self._content.records[plan.record]
        back, in_array = self._write_back, self._in_array
        events = record_events(fields, self._arch, written_back=back, in_array=in_array)
        columns, effective = 0, 0
        if fields["kind"] == Kind.CONV:
            products = fields["weight_planes"] * fields["input_planes"]
            columns = events["and_operations"] * self._arch.array.columns
            windows = positions_of(fields) * fields["kernels"]
            windows *= 1 if fields.get("depthwise", 0) else fields["channels"]
            effective = windows * kernel_taps(fields) * products
        return StepCycles(
            name=name,
            layer=plan.layer,
            around=plan.kind if plan.kind in MOVING else None,
            cycles=before + work.cycles,
            causes=with_rest(plan.kind, work, before),
            events=events,
            columns=columns,
            effective=effective,
        )


def with_rest(kind: str, work: Work, before: int) -> dict[str, int]:
    """Return cycles by cause; those of no cause count for the pipeline, or for the kind of step."""
    rest = work.cycles - sum(work.causes.values())
    if work.causes:
        return {**work.causes, "pipeline": rest + before}
    return {kind: rest, "pipeline": before}


def end_step(cycles: int) -> StepCycles:
    """Return the last step of a run."""
    return StepCycles(
        name="end",
        layer="end",
        around="end",
        cycles=cycles,
        causes={"end": cycles},
        events=dict.fromkeys(EVENTS, 0),
        columns=0,
        effective=0,
    )


def conv_work(conv: Conv) -> Work:
    """Return the cycles of a CONV; ValueError if it never ends."""
    last, _, causes = conv_cycles(conv)
    if last < 0:
        raise ValueError(f"a record never ends: {conv}")
    return Work(
        cycles=int(last) + 1 + timing.CONV_TAIL_CYCLES,
        causes=dict(zip(CAUSES, causes.tolist(), strict=True)),
    )


class SplitCost:
    """Cycles of a record with weights, for the compiler."""

    def __init__(self, arch: Arch) -> None:
        self._arch = arch

    def __call__(self, layer: str, fields: Fields) -> float:
        """Return the cycles from the retirement before a record to its own."""
        arch = self._arch
        steps = and_steps(fields, arch, write_back=arch.write_back, in_array=arch.in_array)
        return timing.DISPATCH_CYCLES + conv_work(conv_of(fields, arch, steps=steps)).cycles


def must_compile() -> bool:
    """Return whether the first prediction must compile, which takes up to a minute."""
    return not is_compiled(conv_cycles)
