"""What firmware places in memory for a crossbar chip."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.in_memory import AnswerLayout, InMemory, MapLayout, in_turn
from hwgen.crossbar.facts import image_io
from hwgen.crossbar.facts.arch import Arch, fabric_of_chip
from hwgen.crossbar.facts.arch_fabric import Travel
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.program import Program


def in_memory(
    program: Program,
    arch: Arch,
    images: NDArray[Any],
    answers: Mapping[str, Sequence[NDArray[Any]]],
) -> InMemory:
    """Return the bytes of a program, of its images and of the answers that it must give.

    images: unsigned NHWC
    answers: by output in the file's order, (height, width, channels) of each image
    """
    chip, facts = described(arch), program.facts
    found = {name: answer_of(chip, program, name) for name in answers}
    most = fabric_of_chip(arch, arch.name).stream.images
    stride = image_io.answer_stride(chip)
    packed = [image_io.packed_image(chip, image) for image in images]
    return InMemory(
        program=program.image.tobytes(),
        scratch_bytes=0,
        images=b"".join(image.ljust(image_io.image_stride(chip), b"\0") for image in packed),
        starts=len(images),
        start_images=most,
        image_stride=image_io.image_stride(chip),
        image=image_layout(chip, facts.image.shape),
        answers=[
            AnswerLayout(
                name=name,
                layout=answer_layout(chip, travel, answers[name][0].shape),
                offsets=[begin + number * stride for number in range(most)],
            )
            for name, (begin, travel) in found.items()
        ],
        answer_stride=stride,
        interval=chip.interval,
        expected=in_turn(
            [in_whole_bytes(each, travel.bits) for each in answers[name]]
            for name, (_, travel) in found.items()
        ),
    )


def answer_of(chip: Chip, program: Program, name: str) -> tuple[int, Travel]:
    """Return the result that is an output, and the bytes before it: of other results."""
    names, begin = [plan.map for plan in program.facts.layers], 0
    for travel in image_io.results(chip):
        if names[travel.owner] == name:
            break
        begin += image_io.result_beats(chip, travel) * chip.flit_bits // 8
    return begin, travel


def image_layout(chip: Chip, shape: tuple[int, int, int]) -> MapLayout:
    """Return the layout of an image: one block without gaps."""
    size = -(-int(np.prod(shape)) * chip.activation_bits // 8)
    return MapLayout(
        shape=shape,
        element_bits=chip.activation_bits,
        pixel_bits=chip.activation_bits * shape[2],
        block_pixels=shape[0] * shape[1],
        block_bytes=size,
        size=size,
    )


def answer_layout(chip: Chip, travel: Travel, shape: tuple[int, int, int]) -> MapLayout:
    """Return the layout of a result: blocks of `copies` pixels, each of which begins a flit."""
    copies = chip.layers[travel.owner].copies
    return MapLayout(
        shape=shape,
        element_bits=travel.bits,
        pixel_bits=travel.bits * travel.channels,
        block_pixels=copies,
        block_bytes=image_io.block_flits(chip, travel, copies) * chip.flit_bits // 8,
        size=image_io.result_beats(chip, travel) * chip.flit_bits // 8,
    )


def in_whole_bytes(values: NDArray[Any], bits: int) -> bytes:
    """Return the lowest `bits` of values, the lowest byte first, each in as few bytes as do."""
    lowest = values.reshape(-1, 1).astype(np.int64) & ((1 << bits) - 1)
    return lowest.astype("<i8").view(np.uint8)[:, : -(-bits // 8)].tobytes()
