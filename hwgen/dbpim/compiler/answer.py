"""The answers: raw sums of the last pass, or the bytes of each output, to memory."""

from collections.abc import Iterator

from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.ops import Op
from hwgen.dbpim.compiler.spill import LOGIT_BYTES, copy_out, owners_of
from hwgen.dbpim.compiler.steps import Images, Step, Tensor
from hwgen.dbpim.facts.addressing import channel_words
from hwgen.dbpim.facts.instructions import Space
from hwgen.dbpim.facts.program import AnswerPlan, MemoryPlace


class Answers:
    """Places of the answers in memory: of each output those of all images, in the file's order.

    Raw sums lie behind all others: one piece of memory for the images of each STORE.
    offsets: by name and image
    """

    def __init__(self, build: Builder) -> None:
        self.offsets: dict[str, dict[int, int]] = {}
        self.end = 0
        raw = raw_maps(build)
        for name in build.lowered.outputs:
            self.offsets[name] = {}
            for image in () if name in raw else range(build.run_images):
                size = answer_bytes(build, name)
                self.take(name, (image, 1), size=size, pitch=size)

    def saved(self) -> tuple[int, dict[str, dict[int, int]]]:
        """Return `end` and a copy of `offsets`."""
        return self.end, {name: dict(offsets) for name, offsets in self.offsets.items()}

    def take(self, name: str, images: Images, *, size: int, pitch: int) -> int:
        """Return the offset of new answers, `pitch` bytes from one image to the next."""
        offset = self.end
        for number in range(images[1]):
            self.offsets[name][images[0] + number] = offset + number * pitch
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
        offset = answers.take(op.output, part, size=size, pitch=LOGIT_BYTES * pitch)
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
                "at_position": 0,
            },
        )


def raw_maps(build: Builder) -> set[str]:
    """Return the maps that are raw sums."""
    return {op.output for op in build.lowered.ops if op.raw}


def answer_bytes(build: Builder, name: str) -> int:
    """Return the bytes of one image's answer, where they are no raw sums."""
    shape, width = build.lowered.maps[name], build.arch.word
    return shape.height * shape.width * channel_words(shape.channels, build.arch) * width


def answer_plan(build: Builder, name: str, answers: Answers) -> AnswerPlan:
    """Return where an output of each image lies."""
    shape, raw, offsets = build.lowered.maps[name], name in raw_maps(build), answers.offsets[name]
    return AnswerPlan(
        layer=name,
        shape=(shape.height, shape.width, shape.channels),
        raw=raw,
        offsets=[offsets[image] for image in sorted(offsets)],
        size=LOGIT_BYTES * shape.channels if raw else answer_bytes(build, name),
    )


def byte_answer(build: Builder, last: Step, images: Images, answers: Answers) -> Iterator[Step]:
    """Yield the steps that write the bytes of an output to memory; last: what wrote it."""
    tensor = last.output
    if tensor is None:
        raise ValueError(f"{last.name} must have an output")
    row = tensor.shape.width * tensor.channel_words * build.arch.word
    for image in range(images[0], sum(images)):
        yield from copy_out(
            build,
            tensor,
            image,
            (0, tensor.shape.height),
            columns=(0, tensor.shape.width),
            space=Space.ANSWER,
            offset=answers.offsets[tensor.shape.name][image],
            pitch=row,
            owners=owners_of(last, image=image),
            zeros=True,
        )
