"""What firmware places in memory for a DB-PIM chip."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.in_memory import InMemory, aligned, pixel_by_pixel
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, Arch
from hwgen.dbpim.facts.image import pack_image, stored_pixel_bytes
from hwgen.dbpim.facts.program import Program


def in_memory(
    program: Program, arch: Arch, images: NDArray[np.uint8], answers: Sequence[NDArray[Any]]
) -> InMemory:
    """Return the bytes of a program, of its images and of the answers that it must give.

    images: uint8 NHWC; answers: (height, width, channels) of each; the last image fills a start
    """
    facts, plan = program.facts, program.facts.answer
    height, width, channels = plan.shape
    element = ACCUMULATOR_BITS // 8 if plan.raw else 1
    missing = 0 if plan.raw else -channels % arch.word
    pixel = (channels + missing) * element
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
        answer=pixel_by_pixel(
            plan.shape, height * width * pixel, element_bytes=element, pixel_bytes=pixel
        ),
        answer_stride=aligned(facts.answer_bytes),
        answer_offsets=plan.offsets,
        expected=b"".join(np.asarray(each).astype(f"<i{element}").tobytes() for each in answers)
        if plan.raw
        else b"".join(np.asarray(each).astype(np.uint8).tobytes() for each in answers),
    )
