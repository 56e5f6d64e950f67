"""The steps of a program, for people.

Tests: `tests/cli/test_batch.py`.
"""

from hwgen.chip.step import PlannedStep
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.program import Program, StepPlan


def step_list(program: Program, arch: Arch) -> list[PlannedStep]:
    """Return the steps in their order."""
    return [
        PlannedStep(
            name=plan.name,
            layer=plan.layer,
            kind=plan.kind,
            op=plan.op,
            images=plan.images,
            rows=plan.rows,
            cores=min(plan.sets * plan.share, arch.cores),
            output=output_of(plan),
        )
        for plan in program.facts.steps
    ]


def output_of(plan: StepPlan) -> str:
    """Return where the results of a step are; of a LOAD, where they come from, too."""
    places = []
    if plan.memory is not None:
        memory = plan.memory
        places.append(f"{memory.space} +{memory.offset}, {memory.size} bytes")
    if plan.output is not None:
        places.append(f"word {plan.output.base}, {plan.output.words} words a bank")
    return " to ".join(places)
