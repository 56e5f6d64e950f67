"""Steps of a network whose maps all stay in the buffers: pass by pass."""

from hwgen.compiler.dbpim.answer import Answers, raw_answer
from hwgen.compiler.dbpim.builder import Builder
from hwgen.compiler.dbpim.load import image_step
from hwgen.compiler.dbpim.spill import byte_answer
from hwgen.compiler.dbpim.steps import Step, Tensor
from hwgen.spec.network import INPUT


def resident_steps(build: Builder, images: int, answers: Answers) -> list[Step]:
    """Return the steps: all images through each pass."""
    span = 0, images
    tensors: dict[str, Tensor] = {INPUT: build.tensor(INPUT, span, 0)}
    steps = [image_step(build, tensors[INPUT], image) for image in range(images)]
    for op in build.lowered.ops:
        inputs = [tensors[name] for name in op.inputs]
        if op.raw:
            steps += raw_answer(build, op, inputs[0], span, answers)
            continue
        if op.output not in tensors:
            tensors[op.output] = build.tensor(op.output, span, 0)
        steps.append(build.step(op, inputs, tensors[op.output], images=span, origin=0))
    if not build.lowered.ops[-1].raw:
        steps += byte_answer(build, steps[-1], span, answers)
    return steps
