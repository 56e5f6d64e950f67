"""Parts of a self-test: networks whose answers depend on each cell of a memory of a chip.

A part has cells hold a pattern, or its complement; the chip's answers are right if all are as they
should be.

Tests: `tests/chip/test_self_test.py`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.network.graph import QuantizedNetwork
from hwgen.network.quantization import MULTIPLIER_LOW

BYTES = 256
LOW_BITS = MULTIPLIER_LOW - 1
"""All bits of a multiplier but the highest, which is always 1."""
LEAST_BYTE, MOST_BYTE = 2, 120
"""Of a result that shows a changed shift, multiplier or sum: none of them clips it."""
MOST_SUM = 1 << 30
LEAST_SHIFT, MOST_SHIFT, ALL_BITS = 24, 39, 63
"""The complement of a shift is one, too, and the sums of both fit 32 bits."""
TRIES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Part:
    """A network and images that a chip runs one after the other.

    reaches: which cells, for people
    images: uint8, (images, height, width, channels)
    """

    reaches: str
    network: QuantizedNetwork
    images: NDArray[np.uint8]

    @property
    def name(self) -> str:
        """The name of the network."""
        return self.network.graph.name


def and_complements(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images and the complement of each, so that each bit is 0 in one and 1 in the other."""
    return np.concatenate([images, ~images])


def drawn_bytes(rng: np.random.Generator, *shape: int) -> NDArray[np.uint8]:
    """Return bytes, drawn evenly."""
    return rng.integers(0, BYTES, shape).astype(np.uint8)


def one_by_one(count: int, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return images of zeros with a 1 in each pixel; each image has it in another channel.

    So an output of a convolution of 1 x 1 is one weight.
    """
    height, width, channels = shape
    pixels = np.arange(height * width)
    images = np.zeros((count, height * width, channels), np.uint8)
    for number in range(count):
        images[number, pixels, (pixels + pixels // channels + number) % channels] = 1
    return images.reshape(count, *shape)


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """Sums with a multiplier and a shift each, int64 arrays of one length."""

    sums: NDArray[np.int64]
    multipliers: NDArray[np.int64]
    shifts: NDArray[np.int64]


def at_ties(rng: np.random.Generator, count: int, *, above: bool, flipped: bool) -> Scaled:
    """Return sums whose bytes change with each bit of a multiplier that the rounding could lose.

    (sum * M + 2**(s - 1)) >> s is so near to a tie that M - 1 gives another byte, or M + 1 if
    `above`; so do all larger changes of M until it clips. Few multipliers have no such sum; theirs
    is the nearest.

    flipped: multipliers and shifts have the complements of the bits of those with an equal `rng`,
        but for the highest of a multiplier
    """
    multipliers = rng.integers(MULTIPLIER_LOW, 2 * MULTIPLIER_LOW, count)
    shifts = rng.integers(LEAST_SHIFT, MOST_SHIFT + 1, count)
    if flipped:
        multipliers ^= LOW_BITS
        shifts ^= ALL_BITS
    sums = [
        near_tie(rng, int(multiplier), int(shift), above=above)
        for multiplier, shift in zip(multipliers, shifts, strict=True)
    ]
    return Scaled(sums=np.array(sums, np.int64), multipliers=multipliers, shifts=shifts)


def near_tie(rng: np.random.Generator, multiplier: int, shift: int, *, above: bool) -> int:
    """Return a sum for a multiplier and a shift; see `at_ties`."""
    whole = 1 << shift
    least, most = (byte * whole // multiplier for byte in (LEAST_BYTE + 1, MOST_BYTE))
    sums = rng.integers(least, min(most, MOST_SUM), TRIES)
    left = (sums * multiplier + whole // 2) & (whole - 1)
    distance = whole - left if above else left + 1
    return int(sums[(distance - sums).argmin()])
