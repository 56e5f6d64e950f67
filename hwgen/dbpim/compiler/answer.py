"""The answer: raw sums of the last pass, or the bytes of the last map, to memory."""

from collections.abc import Iterator

from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.ops import Op
from hwgen.dbpim.compiler.spill import LOGIT_BYTES, copy_out, owners_of
from hwgen.dbpim.compiler.steps import Images, Step, Tensor
from hwgen.dbpim.facts.instructions import Space
from hwgen.dbpim.facts.program import AnswerPlan, MemoryPlace


class Answers:
    """Places of the answers in memory: one piece of memory for the images of each STORE."""

    def __init__(self) -> None:
        self.offsets: dict[int, int] = {}
        self.end = 0

    def take(self, images: Images, *, size: int, pitch: int) -> int:
        """Return the offset of new answers, `pitch` bytes from one image to the next."""
        offset = self.end
        for number in range(images[1]):
            self.offsets[images[0] + number] = offset + number * pitch
        end = offset + (images[1] - 1) * pitch + size
        self.end = -(-end // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        return offset


def raw_answer(
    build: Builder, op: Op, source: Tensor, images: Images, answers: Answers
) -> Iterator[Step]:
    """Yield the steps of a pass that writes raw sums, and the stores: as many images as fit."""
    pitch, classes = build.logit_pitch(op), build.lowered.maps[op.output].channels
    most = build.arch.logit_entries // pitch
    flat = build.flat(op, images)
    if not flat and images[1] > most:
        most = 1
    for first in range(images[0], sum(images), most):
        part = first, min(most, sum(images) - first)
        yield build.step(op, [source], None, images=part, origin=source.origin)
        size = LOGIT_BYTES * classes
        offset = answers.take(part, size=size, pitch=LOGIT_BYTES * pitch)
        words = (part[1] - 1) * pitch + classes
        yield Step(
            name=build.name(f"store {op.layer}", part),
            layer="store",
            op="store",
            kind="store",
            images=part,
            rows=(0, op.size[0]),
            memory=MemoryPlace(space="answer", offset=offset, size=LOGIT_BYTES * words),
            fields={
                "words": words,
                "index": 0,
                "space": Space.ANSWER,
                "offset": offset,
                "row_pitch": pitch,
                "row_words": classes,
            },
        )


def answer_plan(build: Builder, op: Op, answers: Answers) -> AnswerPlan:
    """Return where the answer of each image lies."""
    shape = build.lowered.maps[op.output]
    width = build.arch.word
    words = -(-shape.channels // width)
    size = LOGIT_BYTES * shape.channels if op.raw else shape.height * shape.width * words * width
    return AnswerPlan(
        layer=op.layer,
        shape=(shape.height, shape.width, shape.channels),
        raw=op.raw,
        offsets=[answers.offsets[image] for image in sorted(answers.offsets)],
        size=size,
    )


def byte_answer(build: Builder, last: Step, images: Images, answers: Answers) -> Iterator[Step]:
    """Yield the steps that write the bytes of the last map to memory; last: what wrote it."""
    tensor = last.output
    if tensor is None:
        raise ValueError(f"{last.name} must have an output")
    row = tensor.shape.width * tensor.channel_words * build.arch.word
    for image in range(images[0], sum(images)):
        size = tensor.shape.height * row
        yield from copy_out(
            build,
            tensor,
            image,
            (0, tensor.shape.height),
            columns=(0, tensor.shape.width),
            space=Space.ANSWER,
            offset=answers.take((image, 1), size=size, pitch=size),
            pitch=row,
            owners=owners_of(last, image=image),
        )
