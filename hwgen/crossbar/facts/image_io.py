"""What the I/O node holds: two images, and the results of two, in beats of the memory port."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.crossbar.facts.arch_fabric import Travel
from hwgen.crossbar.facts.chip import Chip
from hwgen.errors import DataError

BANKS = 2
HEADER_BEATS = 8
"""Beats before the packets of a program, of 64 bits: version and id; number of beats behind;
checksum."""
CHECKSUM_BYTE = 16
"""Of a program, the first one of its checksum."""


def image_beats(chip: Chip) -> int:
    """Return the beats of an image: elements without gaps, the first one lowest."""
    return -(-image_elements(chip) // chip.flit_elements)


def image_elements(chip: Chip) -> int:
    """Return the elements of an image."""
    rows, columns = chip.image_sides
    return rows * columns * chip.image_channels


def image_stride(chip: Chip) -> int:
    """Return the bytes from an image in memory to the next one."""
    return aligned(image_beats(chip) * chip.flit_bits // 8)


def packed_image(chip: Chip, image: NDArray[Any]) -> bytes:
    """Return an image (rows, columns, channels) as it lies in memory, without gaps."""
    shape, most = (*chip.image_sides, chip.image_channels), (1 << chip.activation_bits) - 1
    if image.dtype.kind != "u" or image.shape != shape or int(image.max()) > most:
        given = f"{image.dtype.name} of shape {image.shape} up to {image.max()}"
        raise DataError(f"an image must be unsigned of shape {shape} up to {most}, got {given}")
    return packed(image, chip.activation_bits, -(-image.size * chip.activation_bits // 8) * 8)


def packed(values: NDArray[Any], bits: int, total_bits: int) -> bytes:
    """Return the lowest `bits` of values without gaps, the first value lowest, padded by zeros."""
    each = values.reshape(-1, 1).astype(np.int64) >> np.arange(bits) & 1
    flat = np.zeros(total_bits, np.uint8)
    flat[: each.size] = each.reshape(-1)
    return np.packbits(flat, bitorder="little").tobytes()


def packed_answer(chip: Chip, travel: Travel, values: NDArray[Any]) -> bytes:
    """Return a map as its blocks arrive, each of which begins with a new flit."""
    layer, size = chip.layers[travel.owner], travel.channels
    flat, found = values.reshape(-1, size), b""
    for first in range(0, len(flat), layer.copies):
        block = flat[first : first + layer.copies]
        total = block_flits(chip, travel, len(block)) * chip.flit_bits
        found += packed(block, travel.bits, total)
    return found


def results(chip: Chip) -> list[Travel]:
    """Return the travels that end at the I/O node, in the order in which they lie in an answer."""
    return [travel for travel in chip.travels if travel.kind == "result"]


def block_flits(chip: Chip, travel: Travel, pixels: int) -> int:
    """Return the flits of a block behind its header; every block begins with a new flit."""
    return -(-pixels * travel.channels * travel.bits // chip.flit_bits)


def result_beats(chip: Chip, travel: Travel) -> int:
    """Return the beats of all blocks of an image of one result."""
    layer = chip.layers[travel.owner]
    full = block_flits(chip, travel, layer.copies)
    return (layer.blocks - 1) * full + block_flits(chip, travel, layer.last_pixels)


def answer_beats(chip: Chip) -> int:
    """Return the beats of the results of an image."""
    return sum(result_beats(chip, travel) for travel in results(chip))


def answer_stride(chip: Chip) -> int:
    """Return the bytes from an answer in memory to the next one."""
    return aligned(answer_beats(chip) * chip.flit_bits // 8)


def aligned(size: int) -> int:
    """Return a size rounded up to what addresses are multiples of."""
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
