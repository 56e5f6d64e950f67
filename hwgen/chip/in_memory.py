"""A network, its images and its answers as bytes in memory: what firmware needs of a program."""

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.chip.registers import ALIGNMENT_BYTES


@dataclass(frozen=True, kw_only=True)
class InMemory:
    """What a host places in memory, and how it finds what the chip leaves there; sizes in bytes.

    program: to place; scratch_bytes: to leave for maps
    images: of all starts, one behind the other; starts: number of them
    start_images: images that one start takes: exactly, or at most where the family has a register
        `images`; image_stride: from the images of one start to those of the next, of such a family
        from one image to the next
    image_shape: height, width, channels; image_bytes: of one; element_bytes, pixel_bytes: from one
        channel, from one pixel to the next
    answer_shape: height, width, channels; answer_bytes: of one, with what pads its pixels;
        answer_element_bytes, answer_pixel_bytes: from one channel, from one pixel to the next
    answer_stride: as image_stride; answer_offsets: of each image of a start from its answers
    expected: the answers of all images without what pads their pixels
    """

    program: bytes
    scratch_bytes: int
    images: bytes
    starts: int
    start_images: int
    image_stride: int
    image_shape: tuple[int, int, int]
    image_bytes: int
    element_bytes: int
    pixel_bytes: int
    answer_shape: tuple[int, int, int]
    answer_bytes: int
    answer_element_bytes: int
    answer_pixel_bytes: int
    answer_stride: int
    answer_offsets: Sequence[int]
    expected: bytes


def aligned(size: int) -> int:
    """Return a size rounded up to where the next buffer may begin."""
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
