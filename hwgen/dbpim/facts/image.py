"""Images and answers in memory: pixels in raster order, channels padded with zeros."""

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.program import AnswerPlan, ImagePlan
from hwgen.errors import DataError


def stored_pixel_bytes(plan: ImagePlan, arch: Arch) -> int:
    """Return the bytes that one pixel takes in memory."""
    words = -(-plan.shape[2] // arch.word)
    return plan.pixel_bytes or words * arch.word


def pack_image(image: NDArray[np.uint8], plan: ImagePlan, arch: Arch) -> bytes:
    """Return the bytes of one image (height, width, channels), padded to whole beats."""
    if image.dtype != np.uint8 or image.shape != plan.shape:
        given = f"{image.dtype.name} of shape {image.shape}"
        raise DataError(f"an image must be uint8 of shape {plan.shape}, got {given}")
    missing = stored_pixel_bytes(plan, arch) - plan.shape[2]
    padded = np.pad(image, ((0, 0), (0, 0), (0, missing)))
    return padded.tobytes() + bytes(-padded.size % arch.port_bytes)


def pack_answer(
    answer: NDArray[np.int32] | NDArray[np.uint8], plan: AnswerPlan, arch: Arch
) -> bytes:
    """Return the bytes of one answer as the chip writes them; it has the elements of the plan."""
    whole = np.asarray(answer).reshape(plan.shape)
    if plan.raw:
        return whole.astype("<i4").tobytes()
    missing = -plan.shape[2] % arch.word
    return np.pad(whole.astype(np.uint8), ((0, 0), (0, 0), (0, missing))).tobytes()


def unpack_answer(
    content: bytes, plan: AnswerPlan, arch: Arch
) -> NDArray[np.int32] | NDArray[np.uint8]:
    """Return the answer of one image, (height, width, channels), from its bytes in memory."""
    height, width, channels = plan.shape
    if plan.raw:
        return np.frombuffer(content, "<i4", height * width * channels).reshape(plan.shape)
    words = -(-channels // arch.word)
    whole = (height, width, words * arch.word)
    found = np.frombuffer(content, np.uint8, int(np.prod(whole))).reshape(whole)
    return found[:, :, :channels]
