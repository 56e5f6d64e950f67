"""Images and answers in memory: pixels in raster order, blocks of channels padded with zeros."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import DataError
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import AnswerPlan, ImagePlan


def pixel_blocks(channels: int, arch: Arch) -> int:
    """Return the blocks that a pixel takes in a bank: a power of two.

    Errors: ValueError if it does not fit a row of a bank, or is too wide for a chip of any kernels.
    """
    blocks = 1
    while blocks * arch.block < channels:
        blocks *= 2
    if blocks > arch.pixel_blocks:
        most = arch.pixel_blocks * arch.block
        raise ValueError(f"channels must be at most {most}, got {channels}")
    return blocks


def element_type(arch: Arch) -> "np.dtype[Any]":
    """Return the type of an element of a map in memory."""
    return np.dtype("<u1" if arch.element_bits == 8 else "<u2")


def pack_image(image: NDArray[Any], plan: ImagePlan, arch: Arch) -> bytes:
    """Return the bytes of one image (height, width, channels), padded to whole beats."""
    limit = (1 << plan.bits) - 1
    if image.dtype.kind != "u" or image.shape != plan.shape or int(image.max()) > limit:
        given = f"{image.dtype.name} of shape {image.shape} up to {image.max()}"
        allowed = f"unsigned of shape {plan.shape} up to {limit}"
        raise DataError(f"an image must be {allowed}, got {given}")
    missing = plan.pixel_blocks * arch.block - plan.shape[2]
    padded = np.pad(image.astype(element_type(arch)), ((0, 0), (0, 0), (0, missing)))
    return padded.tobytes() + bytes(-padded.nbytes % arch.port_bytes)


def answer_bytes(plan: AnswerPlan, arch: Arch) -> int:
    """Return the bytes of an output of one image, padding of its pixels included."""
    height, width, _ = plan.shape
    return height * width * plan.pixel_blocks * arch.block * arch.answer_bits // 8


def unpack_answer(content: bytes, plan: AnswerPlan, arch: Arch) -> NDArray[Any]:
    """Return the answer of one image, (height, width, channels), from its bytes in memory.

    Raw sums are int32 or int64, values of a map uint8 or uint16, as the chip has them.
    """
    height, width, channels = plan.shape
    whole = (height, width, plan.pixel_blocks * arch.block)
    found = np.frombuffer(content, f"<i{arch.answer_bits // 8}", int(np.prod(whole)))
    cut = found.reshape(whole)[:, :, :channels]
    return cut if plan.raw else cut.astype(element_type(arch))
