"""What firmware places in memory for a DB-PIM chip.

Tests: `tests/soc/test_export.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.in_memory import (
    AnswerLayout,
    InMemory,
    MapLayout,
    StateLayout,
    aligned,
    in_turn,
    pixel_by_pixel,
)
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, Arch
from hwgen.dbpim.facts.image import pack_image, stored_pixel_bytes
from hwgen.dbpim.facts.program import AnswerPlan, Program


def in_memory(
    program: Program,
    arch: Arch,
    images: NDArray[np.uint8],
    answers: Mapping[str, Sequence[NDArray[Any]]],
) -> InMemory:
    """Return the bytes of a program, of its images and of the answers that it must give.

    images: uint8 NHWC; the last one fills a start
    answers: by output in the file's order, (height, width, channels) of each image
    """
    facts = program.facts
    packed = [pack_image(image, facts.image, arch) for image in images]
    packed += [packed[-1]] * (-len(packed) % facts.images)
    spaces = [image.ljust(facts.image.stride, b"\0") for image in packed]
    stride = aligned(facts.images * facts.image.stride)
    starts = [
        b"".join(spaces[first : first + facts.images]).ljust(stride, b"\0")
        for first in range(0, len(spaces), facts.images)
    ]
    return InMemory(
        program=program.image.tobytes(),
        scratch_bytes=facts.scratch_bytes,
        images=b"".join(starts),
        starts=len(starts),
        start_images=facts.images,
        image_stride=stride,
        image=pixel_by_pixel(
            facts.image.shape,
            len(packed[0]),
            element_bytes=1,
            pixel_bytes=stored_pixel_bytes(facts.image, arch),
        ),
        answers=[
            AnswerLayout(name=plan.layer, layout=answer_layout(plan, arch), offsets=plan.offsets)
            for plan in facts.answers
        ],
        answer_stride=aligned(facts.answer_bytes),
        states=[
            StateLayout(name=each.layer, offset=each.offset, first=bytes.fromhex(each.first))
            for each in facts.states
        ],
        positions=facts.positions,
        position_bytes=facts.pixel_bytes,
        expected=in_turn(
            [np.asarray(each).astype(element_type(plan)).tobytes() for each in answers[plan.layer]]
            for plan in facts.answers
        ),
    )


def answer_layout(plan: AnswerPlan, arch: Arch) -> MapLayout:
    """Return where the elements of an output of one image lie."""
    height, width, channels = plan.shape
    element = element_type(plan).itemsize
    pixel = (channels + (0 if plan.raw else -channels % arch.word)) * element
    return pixel_by_pixel(
        plan.shape, height * width * pixel, element_bytes=element, pixel_bytes=pixel
    )


def element_type(plan: AnswerPlan) -> np.dtype[Any]:
    """Return the type of an element in memory."""
    return np.dtype(f"<i{ACCUMULATOR_BITS // 8}" if plan.raw else np.uint8)
