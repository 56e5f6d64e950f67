"""A network, its images and its answers as bytes in memory: what firmware needs of a program.

Tests: `tests/soc/test_axi.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hwgen.chip.registers import ALIGNMENT_BYTES


@dataclass(frozen=True, kw_only=True)
class MapLayout:
    """Where the elements of a map lie; its pixels come row after row, in blocks of whole bytes.

    Channel c of pixel p begins at bit
    `8 * block_bytes * (p // block_pixels) + pixel_bits * (p % block_pixels) + element_bits * c`.

    shape: height, width, channels
    size: bytes of all blocks, the last of which may be shorter, with what fills the last beat
    """

    shape: tuple[int, int, int]
    element_bits: int
    pixel_bits: int
    block_pixels: int
    block_bytes: int
    size: int


def pixel_by_pixel(
    shape: tuple[int, int, int], size: int, *, element_bytes: int, pixel_bytes: int
) -> MapLayout:
    """Return the layout of a map whose pixels are whole bytes, with what pads them."""
    return MapLayout(
        shape=shape,
        element_bits=8 * element_bytes,
        pixel_bits=8 * pixel_bytes,
        block_pixels=1,
        block_bytes=pixel_bytes,
        size=size,
    )


@dataclass(frozen=True, kw_only=True)
class AnswerLayout:
    """Where an output lies; offsets: of each image of a start, from the answers of the start."""

    name: str
    layout: MapLayout
    offsets: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class StateLayout:
    """What a call leaves for the next: its place in the scratch space, its bytes at first."""

    name: str
    offset: int
    first: bytes


@dataclass(frozen=True, kw_only=True)
class InMemory:
    """What a host places in memory, and how it finds what the chip leaves there; sizes in bytes.

    program: to place; scratch_bytes: to leave for maps
    images: of all starts, one behind the other; starts: number of them
    start_images: images that one start takes: exactly, or at most where the family has a register
        `images`; image_stride: from the images of one start to those of the next, of such a family
        from one image to the next
    image: of one; answers: of each output, in the file's order; answer_stride: as image_stride
    interval: what a register `interval` is told, steps from one image of a start to the next; 0
        where there is no such register
    expected: of each image all outputs, each element in as few bytes as hold it, without gaps
    states: what a start leaves for the next; positions: starts in turn at most, 0: any number
    position_bytes: that each position adds to a state
    """

    program: bytes
    scratch_bytes: int
    images: bytes
    starts: int
    start_images: int
    image_stride: int
    image: MapLayout
    answers: Sequence[AnswerLayout]
    answer_stride: int
    interval: int = 0
    expected: bytes
    states: Sequence[StateLayout] = ()
    positions: int = 0
    position_bytes: int = 0


def in_turn(answers: Iterable[Iterable[bytes]]) -> bytes:
    """Return of each image all outputs; answers: of each output the bytes of all images."""
    return b"".join(part for image in zip(*answers, strict=True) for part in image)


def aligned(size: int) -> int:
    """Return a size rounded up to where the next buffer may begin."""
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
