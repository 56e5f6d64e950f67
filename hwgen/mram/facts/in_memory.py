"""What firmware places in memory for an MRAM chip."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.in_memory import AnswerLayout, InMemory, in_turn, pixel_by_pixel
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.image import answer_bytes, element_type, pack_image
from hwgen.mram.facts.program import Program


def in_memory(
    program: Program,
    arch: Arch,
    images: NDArray[Any],
    answers: Mapping[str, Sequence[NDArray[Any]]],
) -> InMemory:
    """Return the bytes of a program, of its images and of the answers that it must give.

    images: unsigned NHWC, all channels of the widest mode
    answers: by output in the file's order, (height, width, channels) of each image, with the
        channels of the mode that runs
    """
    facts = program.facts
    element = arch.answer_bits // 8
    packed = [pack_image(image, facts.image, arch) for image in images]
    stored = element_type(arch).itemsize
    image = pixel_by_pixel(
        facts.image.shape,
        len(packed[0]),
        element_bytes=stored,
        pixel_bytes=facts.image.pixel_blocks * arch.block * stored,
    )
    layouts = [
        pixel_by_pixel(
            (*plan.shape[:2], answers[plan.layer][0].shape[2]),
            answer_bytes(plan, arch),
            element_bytes=element,
            pixel_bytes=plan.pixel_blocks * arch.block * element,
        )
        for plan in facts.answers
    ]
    return InMemory(
        program=program.image.tobytes(),
        scratch_bytes=0,
        images=b"".join(image.ljust(facts.image.stride, b"\0") for image in packed),
        starts=len(images),
        start_images=len(images),
        image_stride=facts.image.stride,
        image=image,
        answers=[
            AnswerLayout(
                name=plan.layer,
                layout=layout,
                offsets=[plan.offset + number * plan.stride for number in range(len(images))],
            )
            for plan, layout in zip(facts.answers, layouts, strict=True)
        ],
        answer_stride=facts.answer.stride,
        expected=in_turn(
            [
                [np.asarray(each).astype(f"<i{element}").tobytes() for each in answers[plan.layer]]
                for plan in facts.answers
            ]
        ),
    )
