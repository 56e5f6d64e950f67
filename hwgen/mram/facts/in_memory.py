"""What firmware places in memory for an MRAM chip."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.in_memory import InMemory, pixel_by_pixel
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.image import element_type, pack_image
from hwgen.mram.facts.program import Program


def in_memory(
    program: Program, arch: Arch, images: NDArray[Any], answers: Sequence[NDArray[Any]]
) -> InMemory:
    """Return the bytes of a program, of its images and of the answers that it must give.

    images: unsigned NHWC, all channels of the widest mode; answers: (height, width, channels) of
    each, with the channels of the mode that runs
    """
    facts, plan = program.facts, program.facts.answer
    height, width, _ = plan.shape
    element = arch.answer_bits // 8
    pixel = plan.pixel_blocks * arch.block * element
    packed = [pack_image(image, facts.image, arch) for image in images]
    stored = element_type(arch).itemsize
    image = pixel_by_pixel(
        facts.image.shape,
        len(packed[0]),
        element_bytes=stored,
        pixel_bytes=facts.image.pixel_blocks * arch.block * stored,
    )
    answer_shape = (height, width, answers[0].shape[2])
    return InMemory(
        program=program.image.tobytes(),
        scratch_bytes=0,
        images=b"".join(image.ljust(facts.image.stride, b"\0") for image in packed),
        starts=len(images),
        start_images=len(images),
        image_stride=facts.image.stride,
        image=image,
        answer=pixel_by_pixel(
            answer_shape, height * width * pixel, element_bytes=element, pixel_bytes=pixel
        ),
        answer_stride=plan.stride,
        answer_offsets=[number * plan.stride for number in range(len(images))],
        expected=b"".join(np.asarray(each).astype(f"<i{element}").tobytes() for each in answers),
    )
