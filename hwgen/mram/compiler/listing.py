"""A program for people: its steps, what stands in the rows, and every record."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from hwgen.chip.step import PlannedStep
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import ModePlan, PlacedSegment, Program, StepPlan
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import Content, decode_program

WIDTH = 100


def step_list(program: Program, arch: Arch) -> list[PlannedStep]:
    """Return the steps of all modes; with several modes their names begin with the mode."""
    content = decode_program(program.image, arch, source=program.facts.network_name)
    modes = program.facts.modes
    return [
        PlannedStep(
            name=plan.name if len(modes) == 1 else f"{mode.name}/{plan.name}",
            layer=plan.layer,
            kind=plan.kind,
            op=plan.op,
            images=(0, program.facts.images),
            rows=(0, rows_of(plan, program)),
            cores=octets_of(plan, content),
            output=output_of(plan),
        )
        for mode in modes
        for plan in mode.steps
    ]


def rows_of(plan: StepPlan, program: Program) -> int:
    """Return the rows of the map that a step writes, or of the answer."""
    if plan.output is not None:
        return plan.output.shape[0]
    layer = plan.inputs[0] if plan.kind == "answer" else plan.layer
    return program.facts.answer_of(layer).shape[0]


def octets_of(plan: StepPlan, content: Content) -> int:
    """Return the octets that work."""
    fields = content.records[plan.record]
    working: int = fields["groups"] << fields["octets_log"]
    return working if plan.kind == "conv" else 0


def output_of(plan: StepPlan) -> str:
    """Return where the results of a step are."""
    if plan.output is not None:
        place = plan.output
        return f"bank {place.bank}, {place.pixel_blocks} blocks a pixel"
    return "memory" if plan.kind == "answer" else "answer buffer"


def listing(program: Program, arch: Arch) -> str:
    """Return the steps of each mode with their records, and the content of the weight rows."""
    facts = program.facts
    content = decode_program(program.image, arch, source=facts.network_name)
    lines = [
        f"program of {facts.network_name} for {facts.architecture_name}:"
        f" {len(program.image)} bytes, {len(content.records)} records,"
        f" {len(content.parameters)} parameter words, {facts.weight_rows} weight rows",
    ]
    for mode in facts.modes:
        lines += ["", *mode_lines(mode, content)]
    return "\n".join([*lines, "", *row_lines(facts.segments, arch), ""])


def mode_lines(mode: ModePlan, content: Content) -> Iterator[str]:
    """Yield the steps of a mode, each with the fields of its record that are not zero."""
    yield f"mode {mode.name}, {len(mode.steps)} steps:"
    for plan in mode.steps:
        fields = content.records[plan.record]
        text = " ".join(f"{name}={value}" for name, value in fields.items() if value)
        kind = Kind(fields["kind"]).name
        start = f"{plan.record:5}  {kind:<6} {plan.name} ({plan.op}, {output_of(plan)}): "
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=start, subsequent_indent=" " * 7, break_long_words=False
        )


def row_lines(segments: Sequence[PlacedSegment], arch: Arch) -> Iterator[str]:
    """Yield what stands in each row set: layer, copy, block, octets of a group, by segment."""
    yield "weight rows: layer.copy.block of each segment, octets of a group"
    for row, found in groupby(segments, key=lambda each: each.weight_row):
        names = ["-"] * arch.segments
        planes = 0
        for each in found:
            mode = "" if each.mode is None else f" mode {each.mode}"
            names[each.segment] = f"{each.layer}.{each.copy}.{each.block} x{each.octets}{mode}"
            planes = max(planes, each.planes)
        yield f"{row:5}-{row + planes - 1:<4} {' | '.join(names)}"
