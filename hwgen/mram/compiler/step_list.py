"""The steps of a program, as people read them.

Tests: `tests/mram/compiler/test_step_list.py`.
"""

from hwgen.chip.step import PlannedStep
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import Program, StepPlan
from hwgen.mram.facts.stream import Content, decode_program


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
